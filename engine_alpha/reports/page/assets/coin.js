// One coin at a time: candles, or a line of closes where only those are known, its trades, its own equity.

const DAY_S = 86400;
const REFIT_MS = 180;

class CoinChart {
  constructor(run, trades) {
    this.run = run;
    this.trades = trades;
    this.legend = document.getElementById('coin-legend');
    this.choice = document.getElementById('coin-choice');
    this.frameChoice = document.getElementById('frame-choice');
    this.coin = null; // as it was read
    this.bars = null; // as it is shown: joined to the chosen frame
    this.trade = null;
    this.build();
    this.listen();
  }

  build() {
    this.chart = newChart(document.getElementById('coin-chart'));
    this.equity = null;
    this.choice.append(...this.run.coins.map((coin) => new Option(coin.symbol, coin.symbol)));
    const swatches = this.run.regimes.map((name, code) => {
      const swatch = node('span', name, 'swatch');
      swatch.style.setProperty('--swatch', `var(--regime-${code})`);
      return swatch;
    });
    document.getElementById('regime-legend').append(...swatches);
    followTheme(() => {
      this.chart.applyOptions(themeOptions());
      this.paint();
    });
  }

  listen() {
    this.chart.subscribeCrosshairMove((event) => this.tell(event.logical));
    this.choice.addEventListener('change', () => this.show(this.choice.value));
    this.frameChoice.addEventListener('change', () => this.reframe(this.shownTime()));
    for (const button of document.querySelectorAll('[data-days]')) {
      button.addEventListener('click', () => this.span(Number(button.dataset.days)));
    }
    document.getElementById('trade-before').addEventListener('click', () => this.step(-1));
    document.getElementById('trade-after').addEventListener('click', () => this.step(1));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.refit(), REFIT_MS);
    });
  }

  // Show a coin, at the time that was shown of the one before if it has bars there.
  async show(symbol) {
    const before = this.coin && this.shownTime();
    this.choice.value = symbol;
    this.coin = await readCoin(this.run.coins.find((coin) => coin.symbol === symbol));
    this.trade = null;
    this.own = this.trades.filter((trade) => trade.symbol === symbol);
    this.frames = framesOf(this.coin);
    const chosen = this.frameChoice.value;
    this.frameChoice.replaceChildren(
      new Option('auto', ''),
      ...this.frames.map((frame) => new Option(`${frameName(frame)} candles`, String(frame))),
    );
    if (this.frames.includes(Number(chosen))) this.frameChoice.value = chosen;
    const last = this.coin.time.at(-1);
    const held = before && before.to > this.coin.time[0] && before.from < last;
    this.bars = null;
    this.reframe(held ? before : this.lastDays(30));
    this.tell(undefined);
  }

  lastDays(days) {
    const end = this.coin.time.at(-1) + this.coin.frameMs / 1000;
    const start = days ? end - days * DAY_S : this.coin.time[0];
    return { from: Math.max(start, this.coin.time[0]), to: end };
  }

  // The stretch of time in view, in seconds; also where there are no bars.
  shownTime() {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const timeAt = (logical) => {
      const bar = Math.min(this.bars.time.length - 1, Math.max(0, Math.round(logical)));
      return this.bars.time[bar] + ((logical - bar) * this.bars.frameMs) / 1000;
    };
    return range ? { from: timeAt(range.from), to: timeAt(range.to) } : this.lastDays(30);
  }

  // Draw the candles of the chosen frame, or of the one that suits this stretch of time, and show it.
  reframe(shown) {
    const spanMs = (shown.to - shown.from) * 1000;
    const frame = Number(this.frameChoice.value) || frameFor(this.frames, spanMs, this.mostCandles());
    if (!this.bars || this.bars.frameMs !== frame) this.draw(joinedBars(this.coin, frame));
    const from = this.place(shown.from);
    const to = Math.max(this.place(shown.to), from + 5);
    const edge = 0.5 + 0.01 * (to - from);
    this.chart.timeScale().setVisibleLogicalRange({ from: from - edge, to: to + edge });
  }

  // After zooming by hand: other candles where these have become too many or too few.
  refit() {
    if (!this.bars || this.frameChoice.value) return;
    const shown = this.shownTime();
    const spanMs = (shown.to - shown.from) * 1000;
    const most = this.mostCandles();
    const candles = spanMs / this.bars.frameMs;
    const finer = frameFor(this.frames, spanMs, most) < this.bars.frameMs;
    if (candles > 2 * most || (finer && candles < most / 6)) this.reframe(shown);
  }

  // Decimals of a price: those of its grid, but no more than seven digits in all.
  digits() {
    const whole = Math.floor(Math.log10(Math.abs(this.coin.close.at(-1)) || 1)) + 1;
    return Math.max(0, Math.min(this.coin.decimals, 7 - whole));
  }

  mostCandles() {
    return Math.max(60, this.chart.timeScale().width() / CANDLE_PX);
  }

  // The place of a time among the shown bars, with the fraction of the bar it falls into.
  place(seconds) {
    const { time, frameMs } = this.bars;
    let [low, high] = [0, time.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (time[middle] <= seconds) low = middle + 1;
      else high = middle;
    }
    const bar = Math.max(0, low - 1);
    const beyond = ((seconds - time[bar]) * 1000) / frameMs;
    return bar + (bar === time.length - 1 ? beyond : Math.min(1, beyond));
  }

  draw(bars) {
    this.bars = bars;
    if (this.prices) this.chart.removeSeries(this.prices);
    if (this.equity) this.chart.removeSeries(this.equity);
    const digits = this.digits();
    this.prices = this.chart.addSeries(bars.candles ? charts.CandlestickSeries : charts.LineSeries, {
      priceFormat: { type: 'price', precision: digits, minMove: 10 ** -digits },
      priceLineVisible: false,
    });
    this.equity = this.chart.addSeries(
      charts.LineSeries,
      {
        lineWidth: 2,
        priceLineVisible: false,
        lastValueVisible: false,
        priceFormat: { type: 'custom', minMove: 0.01, formatter: money },
      },
      1,
    );
    this.fill(bars);
    this.chart.panes()[0].setStretchFactor(4);
    this.chart.panes()[1].setStretchFactor(1);
    this.paint();
    this.tell(undefined);
  }

  fill({ time, open, high, low, close, equity, candles, regime }) {
    const row = candles
      ? (at, bar) => ({ time: at, open: open[bar], high: high[bar], low: low[bar], close: close[bar] })
      : (at, bar) => ({ time: at, value: close[bar] });
    this.prices.setData(Array.from(time, row));
    this.equity.setData(Array.from(time, (at, bar) => ({ time: at, value: equity[bar] })));
    for (const trade of this.own) {
      trade.first = Math.floor(this.place(trade.entry_ms / 1000));
      trade.last = Math.floor(this.place(trade.exit_ms / 1000));
    }
    this.marks = new TradeMarks(this.own, this.trade);
    this.prices.attachPrimitive(new RegimeBands(regime));
    this.prices.attachPrimitive(this.marks);
    if (this.run.simulated) this.prices.attachPrimitive(new Watermark('SIMULATED PRICES'));
  }

  paint() {
    if (!this.bars) return;
    const [up, down] = [colour('candle-up'), colour('candle-down')];
    const candle = { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false };
    this.prices.applyOptions(this.bars.candles ? candle : { color: colour('ink'), lineWidth: 1 });
    this.equity.applyOptions({ color: colour('accent') });
  }

  // Show so many days up to where the view ends now; 0 is everything.
  span(days) {
    const last = this.lastDays(days);
    if (!days) return this.reframe(last);
    const to = Math.min(last.to, Math.max(this.shownTime().to, this.coin.time[0] + days * DAY_S));
    return this.reframe({ from: Math.max(this.coin.time[0], to - days * DAY_S), to });
  }

  step(by) {
    if (!this.own.length) return;
    const at = this.own.indexOf(this.trade);
    const next = at < 0 ? (by < 0 ? this.own.length - 1 : 0) : at + by;
    this.centre(this.own[Math.min(this.own.length - 1, Math.max(0, next))]);
  }

  async go(trade) {
    if (!this.run.coins.some((coin) => coin.symbol === trade.symbol)) return;
    if (this.coin.symbol !== trade.symbol) await this.show(trade.symbol);
    this.centre(trade);
    document.getElementById('coin').scrollIntoView({ behavior: 'smooth' });
  }

  centre(trade) {
    this.trade = trade;
    const [entry, exit] = [trade.entry_ms / 1000, trade.exit_ms / 1000];
    const around = Math.max(exit - entry, (40 * this.coin.frameMs) / 1000);
    this.reframe({ from: entry - around, to: exit + around });
    this.marks.choose(trade);
    this.tell(undefined);
  }

  tell(logical) {
    if (!this.bars) return;
    const { time } = this.bars;
    const pointed = logical !== undefined && logical >= 0 && logical < time.length;
    const bar = pointed ? Math.round(logical) : this.trade ? this.trade.last : time.length - 1;
    const under = pointed ? this.own.find((trade) => trade.first <= bar && bar <= trade.last) : this.trade;
    fillLegend(this.legend, [...this.barWords(bar), ...(under ? this.tradeWords(under) : [])]);
  }

  barWords(bar) {
    const { bars } = this;
    const shown = (value) => value.toFixed(this.digits());
    const names = bars.candles ? ['open', 'high', 'low', 'close'] : ['close'];
    return [
      ['', `${minute(bars.time[bar] * 1000)} UTC, ${frameName(bars.frameMs)}`],
      ...names.map((name) => [name, shown(bars[name][bar])]),
      ['regime', this.run.regimes[bars.regime[bar]] ?? 'no decision'],
      ['position', bars.side[bar] ? sideName(bars.side[bar]) : 'none'],
    ];
  }

  tradeWords(trade) {
    const won = trade.net_quote > 0 ? 'up' : 'down';
    const way = `${price(trade.entry_price)} → ${price(trade.exit_price)}`;
    return [
      ['trade', `${sideName(trade.side)} ${price(trade.quantity_base)} @ ${way}`],
      ['net', `${gain(trade.net_quote)} ${this.run.currency}`, won],
      ['R', multiple(trade.r), won],
      ['left by', trade.exit_reason.replaceAll('_', ' ')],
      ['card', trade.card],
    ];
  }
}
