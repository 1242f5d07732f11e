// Draws the page, part by part.

async function drawPage() {
  const run = JSON.parse(document.getElementById('run').textContent);
  if (typeof DecompressionStream === 'undefined') throw new Error('this browser is too old to draw the charts');
  drawEquity(run, await readAccount(run));
  const trades = await readTrades(run);
  let coinChart = null;
  if (run.coins.length) {
    coinChart = new CoinChart(run, trades);
    await coinChart.show(run.coins[0].symbol);
  }
  if (trades.length) new TradeTable(trades, (trade) => coinChart?.go(trade));
  document.documentElement.dataset.drawn = 'yes';
}

drawPage().catch((fault) => {
  for (const place of document.querySelectorAll('.no-script')) place.textContent = `Not drawn: ${fault.message}`;
  throw fault;
});
