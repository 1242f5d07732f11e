// The table of trades: sorted by any column, filtered by coin, side, outcome and reason.

const SHOWN_AT_FIRST = 100;
const REASON = 6; // the column of the exit's reason

const TRADE_COLUMNS = [
  ['coin', (trade) => trade.symbol],
  ['side', (trade) => sideName(trade.side)],
  ['entered', (trade) => trade.entry_ms, minute],
  ['at', (trade) => trade.entry_price, price],
  ['held', (trade) => trade.exit_ms - trade.entry_ms, heldFor],
  ['left at', (trade) => trade.exit_price, price],
  ['by', (trade) => trade.exit_reason.replaceAll('_', ' ')],
  ['net', (trade) => trade.net_quote, gain, 'signed'],
  ['R', (trade) => trade.r, multiple, 'signed'],
  ['card', (trade) => trade.card],
  ['regime', (trade) => trade.regime.replaceAll('_', ' ')],
  ['quantity', (trade) => trade.quantity_base, price],
  ['fees', (trade) => -trade.fees_quote, gain],
  ['slippage', (trade) => -trade.slippage_quote, gain],
  ['funding', (trade) => trade.funding_quote, gain],
];

const TRADE_FILTERS = [
  ['all coins', (trade) => trade.symbol],
  ['long and short', (trade) => sideName(trade.side)],
  ['won and lost', (trade) => (trade.net_quote > 0 ? 'won' : 'lost')],
  ['all exits', (trade) => trade.exit_reason.replaceAll('_', ' ')],
  ['all cards', (trade) => trade.card],
];

class TradeTable {
  constructor(trades, go) {
    this.trades = trades;
    this.go = go;
    this.column = 2;
    this.rising = false;
    this.most = SHOWN_AT_FIRST;
    this.chosen = TRADE_FILTERS.map(() => '');
    this.place = document.getElementById('trade-table');
    this.more = document.getElementById('trade-more');
    this.addFilters(document.getElementById('trade-filters'));
    this.draw();
  }

  addFilters(place) {
    TRADE_FILTERS.forEach(([everything, value], number) => {
      const select = node('select');
      select.setAttribute('aria-label', everything);
      const names = [...new Set(this.trades.map(value))].sort();
      select.append(new Option(everything, ''), ...names.map((name) => new Option(name, name)));
      select.addEventListener('change', () => {
        this.chosen[number] = select.value;
        this.draw();
      });
      place.append(select);
    });
    this.count = node('span', '', 'label');
    place.append(this.count);
  }

  draw() {
    const rows = this.trades.filter((trade) =>
      TRADE_FILTERS.every(([, value], number) => !this.chosen[number] || value(trade) === this.chosen[number]),
    );
    const [, value] = TRADE_COLUMNS[this.column];
    const order = this.rising ? 1 : -1;
    rows.sort((a, b) => order * this.compare(value(a), value(b)) || b.number - a.number);
    const table = node('table', undefined, 'numbers trades');
    const body = node('tbody');
    body.append(...rows.slice(0, this.most).map((trade) => this.row(trade)));
    const head = node('thead');
    head.append(this.headRow());
    table.append(head, body);
    this.place.replaceChildren(table);
    const net = rows.reduce((total, trade) => total + trade.net_quote, 0);
    this.count.textContent = `${rows.length.toLocaleString('en-US')} of ${this.trades.length.toLocaleString('en-US')} trades, net ${gain(net)}`;
    this.offerMore(rows.length);
  }

  compare(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
  }

  headRow() {
    const row = node('tr');
    row.append(
      ...TRADE_COLUMNS.map(([name], place) => {
        const head = node('th');
        head.scope = 'col';
        const sorted = place === this.column;
        head.setAttribute('aria-sort', sorted ? (this.rising ? 'ascending' : 'descending') : 'none');
        const button = node('button', name + (sorted ? (this.rising ? ' ▲' : ' ▼') : ''));
        button.type = 'button';
        button.addEventListener('click', () => this.sortBy(place));
        head.append(button);
        return head;
      }),
    );
    return row;
  }

  sortBy(place) {
    this.rising = place === this.column ? !this.rising : typeof TRADE_COLUMNS[place][1](this.trades[0]) === 'string';
    this.column = place;
    this.draw();
    this.place.querySelectorAll('th button')[place].focus();
  }

  row(trade) {
    const row = node('tr');
    row.append(
      ...TRADE_COLUMNS.map(([, value, words, kind], place) => {
        const found = value(trade);
        const cell = node(place ? 'td' : 'th', words ? words(found) : found);
        if (kind === 'signed') cell.className = found > 0 ? 'up' : found < 0 ? 'down' : '';
        return cell;
      }),
    );
    if (trade.ambiguous) {
      const mark = node('abbr', ' ≟');
      mark.title = 'ambiguous: stop and target both lay inside the exit bar';
      row.children[REASON].append(mark);
    }
    row.addEventListener('click', () => this.go(trade));
    return row;
  }

  offerMore(rows) {
    this.more.replaceChildren();
    if (rows <= this.most) return;
    const button = node('button', `show all ${rows.toLocaleString('en-US')}`);
    button.type = 'button';
    button.addEventListener('click', () => {
      this.most = Infinity;
      this.draw();
    });
    this.more.append(button);
  }
}
