// Reads what packing.py wrote: deflated columns, whole numbers as differences, bytes sorted by their weight.

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Columns {
  constructor(bytes, rows) {
    this.bytes = bytes;
    this.rows = rows;
    this.at = 0;
  }

  // The next column of whole numbers, divided by 10^decimals.
  numbers(decimals = 0) {
    const { bytes, rows, at } = this;
    const values = new Float64Array(rows);
    const unit = 10 ** decimals;
    let total = 0;
    for (let row = 0; row < rows; row += 1) {
      const first = at + row;
      const zigzag =
        bytes[first] + bytes[first + rows] * 256 + bytes[first + 2 * rows] * 65536 + bytes[first + 3 * rows] * 16777216;
      total += zigzag % 2 ? -(zigzag + 1) / 2 : zigzag / 2;
      values[row] = total / unit;
    }
    this.at += 4 * rows;
    return values;
  }

  // The next column of small codes.
  codes() {
    const start = this.bytes.byteOffset + this.at;
    this.at += this.rows;
    return new Int8Array(this.bytes.buffer, start, this.rows);
  }
}

async function readAccount(run) {
  const columns = new Columns(await inflated(run.account.packed), run.account.points);
  return {
    time: columns.numbers(),
    equity: columns.numbers(2),
    below: columns.numbers(4),
    held: columns.numbers(),
  };
}

async function readCoin(coin) {
  const columns = new Columns(await inflated(coin.packed), coin.bars);
  const time = columns.numbers();
  const close = columns.numbers(coin.decimals);
  const prices = { open: close, high: close, low: close };
  if (coin.candles) {
    for (const name of Object.keys(prices)) {
      const beyond = columns.numbers(coin.decimals);
      prices[name] = beyond.map((value, row) => Number((close[row] + value).toFixed(Math.max(0, coin.decimals))));
    }
  }
  return { ...coin, time, close, ...prices, equity: columns.numbers(2), regime: columns.codes(), side: columns.codes() };
}

async function readTrades(run) {
  const rows = JSON.parse(new TextDecoder().decode(await inflated(run.trades)));
  return rows.map((row, number) => {
    const trade = { number };
    run.tradeFields.forEach((name, place) => {
      trade[name] = row[place];
    });
    return trade;
  });
}
