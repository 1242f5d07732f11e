// Bars joined to longer ones, so that any stretch of time is some hundred candles.

const HOUR_MS = 3600000;
const NICE_FRAMES = [1, 2, 4, 6, 12, 24, 72, 168].map((hours) => hours * HOUR_MS);
const SHORT_FRAMES = [1, 3, 5, 15, 30].map((minutes) => minutes * 60000);
const CANDLE_PX = 3; // at least, so that one can be told from the next

// The frames a coin can be shown in: its own and the longer ones it divides.
function framesOf(coin) {
  const longer = [...SHORT_FRAMES, ...NICE_FRAMES].filter((frame) => frame > coin.frameMs && frame % coin.frameMs === 0);
  return [coin.frameMs, ...longer];
}

// The shortest frame in which this much time is not too many candles.
function frameFor(frames, spanMs, most) {
  return frames.find((frame) => spanMs / frame <= most) ?? frames.at(-1);
}

function frameName(frameMs) {
  if (frameMs < HOUR_MS) return `${frameMs / 60000} min`;
  return frameMs < 24 * HOUR_MS ? `${frameMs / HOUR_MS} h` : `${frameMs / (24 * HOUR_MS)} d`;
}

// The coin with its bars joined on the grid of a longer frame; holes stay holes, a week begins on a Monday.
function joinedBars(coin, frameMs) {
  if (frameMs === coin.frameMs) return coin;
  const frame = frameMs / 1000;
  const shift = frameMs === 168 * HOUR_MS ? 345600 : 0;
  const joined = { time: [], open: [], high: [], low: [], close: [], equity: [], regime: [], side: [] };
  let current = null;
  coin.time.forEach((time, row) => {
    const start = Math.floor((time - shift) / frame) * frame + shift;
    if (start !== current) {
      current = start;
      joined.time.push(start);
      joined.open.push(coin.open[row]);
      joined.high.push(coin.high[row]);
      joined.low.push(coin.low[row]);
      for (const name of ['close', 'equity', 'regime', 'side']) joined[name].push(coin[name][row]);
      return;
    }
    const last = joined.time.length - 1;
    joined.high[last] = Math.max(joined.high[last], coin.high[row]);
    joined.low[last] = Math.min(joined.low[last], coin.low[row]);
    for (const name of ['close', 'equity', 'regime', 'side']) joined[name][last] = coin[name][row];
  });
  return { ...coin, ...joined, frameMs };
}
