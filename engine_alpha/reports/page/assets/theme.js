// Colours from the style sheet, numbers as people read them, and what all charts have in common.

const charts = LightweightCharts;
const UNKNOWN = '–';

const dark = matchMedia('(prefers-color-scheme: dark)');
const palette = new Map();

function colour(name) {
  if (!palette.has(name)) {
    palette.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return palette.get(name);
}

dark.addEventListener('change', () => palette.clear());

const money = (value) => value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const gain = (value) => (Number(value.toFixed(2)) > 0 ? '+' : '') + money(Number(value.toFixed(2)) || 0);
const percent = (frac, digits = 1) => `${(100 * frac).toFixed(digits)} %`;
const price = (value) => value.toFixed(10).replace(/\.?0+$/, '');
const multiple = (value) => (value === null ? UNKNOWN : gain(value));
const minute = (ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const sideName = (side) => (side > 0 ? 'long' : 'short');

function heldFor(ms) {
  const hours = ms / 3600000;
  if (hours < 2) return `${Math.round(hours * 60)} min`;
  return hours < 48 ? `${Math.round(hours)} h` : `${(hours / 24).toFixed(1)} d`;
}

function node(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// Replaces what an element holds by labelled values: [label, value, class?] each.
function fillLegend(place, pairs) {
  place.replaceChildren(
    ...pairs.map(([label, value, className]) => {
      const pair = node('span', undefined, 'pair');
      pair.append(node('span', label, 'label'), ' ', node('b', value, className));
      return pair;
    }),
  );
}

function themeOptions() {
  const line = colour('line');
  return {
    layout: {
      background: { color: 'transparent' },
      textColor: colour('muted'),
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: line, separatorHoverColor: line, enableResize: false },
    },
    grid: { vertLines: { color: colour('grid') }, horzLines: { color: colour('grid') } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
    crosshair: {
      vertLine: { color: colour('muted'), labelBackgroundColor: colour('label') },
      horzLine: { color: colour('muted'), labelBackgroundColor: colour('label') },
    },
  };
}

function newChart(place) {
  place.replaceChildren();
  const chart = charts.createChart(place, {
    ...themeOptions(),
    autoSize: true,
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
    localization: { locale: 'en-US', timeFormatter: (seconds) => `${minute(seconds * 1000)} UTC` },
  });
  chart.applyOptions({ timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.001 } });
  // The wheel scrolls the page until someone clicks into the chart.
  const wheel = (on) => chart.applyOptions({ handleScroll: { mouseWheel: on }, handleScale: { mouseWheel: on } });
  place.addEventListener('pointerdown', () => wheel(true));
  place.addEventListener('pointerleave', () => wheel(false));
  return chart;
}

// Calls `apply` now and again whenever the device changes between light and dark.
function followTheme(apply) {
  apply();
  dark.addEventListener('change', apply);
}
