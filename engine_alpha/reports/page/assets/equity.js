// The account: equity above, drawdown below.

function drawEquity(run, account) {
  const place = document.getElementById('equity-chart');
  const legend = document.getElementById('equity-legend');
  const chart = newChart(place);
  const equity = chart.addSeries(charts.BaselineSeries, {
    baseValue: { type: 'price', price: run.startQuote },
    lineWidth: 2,
    priceLineVisible: false,
    priceFormat: { type: 'custom', minMove: 0.01, formatter: money },
  });
  const drawdown = chart.addSeries(
    charts.AreaSeries,
    {
      lineWidth: 1,
      invertFilledArea: true,
      priceLineVisible: false,
      lastValueVisible: false,
      priceFormat: { type: 'custom', minMove: 0.0001, formatter: (value) => percent(value) },
    },
    1,
  );
  chart.panes()[0].setStretchFactor(3);
  chart.panes()[1].setStretchFactor(1);
  equity.setData(Array.from(account.time, (time, row) => ({ time, value: account.equity[row] })));
  drawdown.setData(Array.from(account.time, (time, row) => ({ time, value: -account.below[row] })));
  followTheme(() => {
    chart.applyOptions(themeOptions());
    equity.applyOptions({
      topLineColor: colour('up'),
      topFillColor1: colour('up-fill'),
      topFillColor2: 'transparent',
      bottomLineColor: colour('down'),
      bottomFillColor1: 'transparent',
      bottomFillColor2: colour('down-fill'),
    });
    drawdown.applyOptions({
      lineColor: colour('down'),
      topColor: 'transparent',
      bottomColor: colour('down-fill'),
    });
  });
  if (run.simulated) equity.attachPrimitive(new Watermark('SIMULATED PRICES'));
  const rows = new Map(Array.from(account.time, (time, row) => [time, row]));
  const tell = (row) => {
    const result = account.equity[row] - run.startQuote;
    fillLegend(legend, [
      ['', `${minute(account.time[row] * 1000)} UTC`],
      ['equity', `${money(account.equity[row])} ${run.currency}`],
      ['result', gain(result), result < 0 ? 'down' : 'up'],
      ['drawdown', percent(account.below[row])],
      ['in positions', `${money(account.held[row])} ${run.currency}`],
    ]);
  };
  tell(account.time.length - 1);
  chart.subscribeCrosshairMove((event) => tell(rows.get(event.time) ?? account.time.length - 1));
  const edge = 0.015 * account.time.length; // room for the labels at both ends
  chart.timeScale().setVisibleLogicalRange({ from: -edge, to: account.time.length + edge });
}
