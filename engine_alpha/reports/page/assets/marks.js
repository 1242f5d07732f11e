// What is drawn into a coin's chart besides its candles: bands of regimes behind, trades in front.

const CROWDED_PX = 10; // less room than this for each trade in view: its ends are mere dots

class Drawn {
  attached({ chart, series, requestUpdate }) {
    this.chart = chart;
    this.series = series;
    this.redraw = requestUpdate;
  }

  paneViews() {
    this.views ??= [
      {
        zOrder: () => this.layer(),
        renderer: () => ({ draw: (target) => target.useMediaCoordinateSpace((scope) => this.draw(scope)) }),
      },
    ];
    return this.views;
  }

  // The first and the last bar in view, and the function that places a bar.
  view() {
    const scale = this.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    return { range, at: (bar) => scale.logicalToCoordinate(bar) };
  }
}

class Watermark extends Drawn {
  constructor(text) {
    super();
    this.text = text;
  }

  layer() {
    return 'bottom';
  }

  draw({ context, mediaSize }) {
    const size = Math.min(44, mediaSize.width / (0.75 * this.text.length));
    context.font = `700 ${size}px ${getComputedStyle(document.body).fontFamily}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = colour('watermark');
    context.fillText(this.text, mediaSize.width / 2, mediaSize.height / 2);
  }
}

class RegimeBands extends Drawn {
  constructor(regimes) {
    super();
    this.runs = [];
    let first = 0;
    for (let bar = 1; bar <= regimes.length; bar += 1) {
      if (bar === regimes.length || regimes[bar] !== regimes[first]) {
        if (regimes[first] >= 0) this.runs.push({ first, last: bar - 1, regime: regimes[first] });
        first = bar;
      }
    }
  }

  layer() {
    return 'bottom';
  }

  draw({ context, mediaSize }) {
    const { range, at } = this.view();
    if (!range) return;
    const half = (at(1) - at(0)) / 2;
    const ribbon = 5;
    for (const { first, last, regime } of this.runs) {
      if (last < range.from || first > range.to) continue;
      const left = at(first) - half;
      const width = Math.max(at(last) + half - left, 0.5);
      context.fillStyle = colour(`band-${regime}`);
      context.fillRect(left, 0, width, mediaSize.height);
      context.fillStyle = colour(`regime-${regime}`);
      context.fillRect(left, mediaSize.height - ribbon, width, ribbon);
    }
  }
}

class TradeMarks extends Drawn {
  // Trades have `first` and `last`, the bars of entry and exit.
  constructor(trades, chosen) {
    super();
    this.trades = trades;
    this.chosen = chosen;
  }

  layer() {
    return 'top';
  }

  choose(trade) {
    this.chosen = trade;
    this.redraw();
  }

  draw({ context, mediaSize }) {
    const { range, at } = this.view();
    if (!range) return;
    const shown = this.trades.filter((trade) => trade.last >= range.from && trade.first <= range.to);
    const paint = { 1: colour('up'), '-1': colour('down') };
    const crowded = shown.length * CROWDED_PX > mediaSize.width;
    for (const trade of shown) {
      const points = [at(trade.first), this.series.priceToCoordinate(trade.entry_price)];
      points.push(at(trade.last), this.series.priceToCoordinate(trade.exit_price));
      if (points.includes(null)) continue;
      context.strokeStyle = context.fillStyle = paint[trade.net_quote > 0 ? 1 : -1];
      this.line(context, points, trade === this.chosen);
      if (crowded && trade !== this.chosen) this.dots(context, points);
      else this.ends(context, points, trade);
    }
  }

  line(context, [x1, y1, x2, y2], chosen) {
    context.lineWidth = chosen ? 3 : 1.5;
    context.setLineDash(chosen ? [] : [5, 3]);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    context.setLineDash([]);
  }

  dots(context, [x1, y1, x2, y2]) {
    context.beginPath();
    context.arc(x1, y1, 2, 0, 2 * Math.PI);
    context.arc(x2, y2, 2, 0, 2 * Math.PI);
    context.fill();
  }

  ends(context, [x1, y1, x2, y2], trade) {
    const size = trade === this.chosen ? 8 : 6;
    const away = trade.side * (size + 2);
    context.strokeStyle = colour('card');
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x1, y1 + away - trade.side * size * 1.5);
    context.lineTo(x1 - size, y1 + away);
    context.lineTo(x1 + size, y1 + away);
    context.closePath();
    context.fill();
    context.stroke();
    context.beginPath();
    context.arc(x2, y2, size * 0.6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}
