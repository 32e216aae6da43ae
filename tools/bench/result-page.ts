/** The results as one HTML file that needs nothing else: tables, plots as SVG, histograms of the samples. */
import type { Curve, Figure, Part, Plot, Samples } from './measurement.ts';
import { boundText, valueText } from './result-table.ts';
import type { BenchResult } from './run-bench.ts';

const box = { width: 640, height: 300, left: 60, right: 24, top: 10, bottom: 44 } as const;
const colours = ['#0b6fa4', '#c2410c', '#15803d', '#7e22ce', '#a16207', '#be123c', '#0f766e', '#475569'];
const histogramBins = 24;

export function escapeHtml(text: string): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (mark) => marks[mark]!);
}

interface Axis {
  kind: 'linear' | 'log';
  least: number;
  most: number;
}

function axisOf(values: readonly number[], kind: Axis['kind']): Axis {
  const usable = values.filter((value) => Number.isFinite(value) && (kind === 'linear' || value > 0));
  if (usable.length === 0) return { kind, least: kind === 'log' ? 1 : 0, most: kind === 'log' ? 10 : 1 };
  const least =
    kind === 'linear' ? Math.min(0, ...usable) : 10 ** Math.floor(Math.log10(Math.min(...usable)));
  const most = kind === 'linear' ? Math.max(...usable) : 10 ** Math.ceil(Math.log10(Math.max(...usable)));
  return { kind, least, most: most > least ? most : least === 0 ? 1 : least * 10 };
}

/** 0..1 along the axis. */
function shareOf({ kind, least, most }: Axis, value: number): number {
  if (kind === 'linear') return (value - least) / (most - least);
  return Math.log10(Math.max(value, least) / least) / Math.log10(most / least);
}

function ticksOf(axis: Axis): number[] {
  const count = axis.kind === 'linear' ? 5 : Math.max(1, Math.round(Math.log10(axis.most / axis.least)));
  return Array.from({ length: count + 1 }, (_, index) => {
    if (axis.kind === 'log') return axis.least * 10 ** index;
    return axis.least + ((axis.most - axis.least) * index) / count;
  });
}

const x = (axis: Axis, value: number): string =>
  (box.left + shareOf(axis, value) * (box.width - box.left - box.right)).toFixed(1);
const y = (axis: Axis, value: number): string =>
  (box.height - box.bottom - shareOf(axis, value) * (box.height - box.top - box.bottom)).toFixed(1);

function frameOf(across: Axis, up: Axis, xLabel: string, yLabel: string): string {
  const floor = box.height - box.bottom;
  const below = ticksOf(across).map((value) => {
    const at = x(across, value);
    return `<line x1="${at}" y1="${box.top}" x2="${at}" y2="${floor}"/><text x="${at}" y="${floor + 15}" text-anchor="middle">${valueText(value, '')}</text>`;
  });
  const beside = ticksOf(up).map((value) => {
    const at = y(up, value);
    return `<line x1="${box.left}" y1="${at}" x2="${box.width - box.right}" y2="${at}"/><text x="${box.left - 6}" y="${Number(at) + 4}" text-anchor="end">${valueText(value, '')}</text>`;
  });
  const middle = (box.left + box.width) / 2;
  return (
    `<g class="grid">${below.join('')}${beside.join('')}</g>` +
    `<text x="${middle}" y="${box.height - 8}" text-anchor="middle">${escapeHtml(xLabel)}</text>` +
    `<text transform="translate(13 ${floor / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(yLabel)}</text>`
  );
}

const picture = (title: string, inner: string, legend = ''): string =>
  `<figure><figcaption>${escapeHtml(title)}</figcaption>` +
  `<svg viewBox="0 0 ${box.width} ${box.height}" role="img" aria-label="${escapeHtml(title)}">${inner}</svg>${legend}</figure>`;

export function plotSvg(plot: Plot): string {
  const all = plot.curves.flatMap(({ points }) => points);
  const across = axisOf(
    all.map(([value]) => value),
    plot.xScale,
  );
  const up = axisOf(
    all.map(([, value]) => value),
    plot.yScale,
  );
  const lines = plot.curves.map(({ points }: Curve, index) => {
    const path = points.map(([right, high]) => `${x(across, right)},${y(up, high)}`).join(' ');
    return `<polyline points="${path}" stroke="${colours[index % colours.length]}"/>`;
  });
  const names = plot.curves.map(
    ({ name }, index) => `<li style="--colour:${colours[index % colours.length]}">${escapeHtml(name)}</li>`,
  );
  const inner = frameOf(across, up, plot.xLabel, plot.yLabel) + lines.join('');
  return picture(plot.title, inner, `<ul class="legend">${names.join('')}</ul>`);
}

/** Bins of equal width. */
export function histogramSvg({ name, unit, values }: Samples): string {
  if (values.length === 0) return '';
  const least = Math.min(...values);
  const width = (Math.max(...values) - least) / histogramBins || 1;
  const counts = new Array<number>(histogramBins).fill(0);
  for (const value of values) counts[Math.min(histogramBins - 1, Math.floor((value - least) / width))]! += 1;
  const across: Axis = { kind: 'linear', least, most: least + width * histogramBins };
  const up = axisOf(counts, 'linear');
  const bars = counts.map((count, index) => {
    const left = Number(x(across, least + width * index));
    const right = Number(x(across, least + width * (index + 1)));
    const top = Number(y(up, count));
    return `<rect x="${left}" y="${top}" width="${(right - left - 1).toFixed(1)}" height="${(box.height - box.bottom - top).toFixed(1)}"/>`;
  });
  return picture(`${name} (${values.length} samples)`, frameOf(across, up, unit, 'samples') + bars.join(''));
}

function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const cells = [
      figure.text,
      valueText(figure.value, figure.unit),
      boundText(figure),
      figure.floor === undefined ? '' : valueText(figure.floor, figure.unit),
      figure.note ?? '',
    ];
    return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  return [
    '<table><thead><tr><th>figure</th><th>value</th><th>bound</th><th>physical floor</th><th></th></tr></thead>',
    `<tbody>${rows.join('\n')}</tbody></table>`,
  ].join('\n');
}

/** Pictures first: a part can have a hundred figures. */
function partHtml(part: Part): string {
  return [
    `<section><h2>${escapeHtml(part.title)}</h2>`,
    `<ul>${part.remarks.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>`,
    ...part.plots.map(plotSvg),
    ...(part.samples ?? []).map(histogramSvg),
    `<details><summary>All ${part.figures.length} figures</summary>`,
    tableOf(part.figures),
    '</details></section>',
  ].join('\n');
}

const style = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1e293b}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e2e8f0}
section td:nth-child(2){text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
summary{cursor:pointer;margin:1rem 0;font-weight:600}
figure{display:inline-block;margin:1rem 1rem 0 0;vertical-align:top;width:100%;max-width:640px}figcaption{font-weight:600}
svg text{font-size:11px;fill:#475569}svg .grid line{stroke:#e2e8f0}svg polyline{fill:none;stroke-width:2}svg rect{fill:#0b6fa4}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
.legend li::before{content:"";display:inline-block;width:1rem;height:3px;margin-right:.4rem;vertical-align:middle;background:var(--colour)}`;

export function pageOf({ machine, loadAfter, parameters, parts, failed }: BenchResult): string {
  const bounded = parts.flatMap(({ figures }) => figures.filter(({ bound }) => bound !== undefined));
  const { versions, loadBefore, ...rest } = machine;
  const facts = Object.entries({
    ...rest,
    ...versions,
    load: `${loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after`,
  });
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Understudy: measured</title><style>${style}</style></head><body><h1>Understudy: measured</h1>`,
    `<table><tbody>${facts.map(([name, fact]) => `<tr><th>${name}</th><td>${escapeHtml(String(fact))}</td></tr>`).join('')}`,
    `<tr><th>parameters</th><td>${escapeHtml(JSON.stringify(parameters))}</td></tr></tbody></table>`,
    ...failed.map(
      ({ id, reason }) =>
        `<p><strong>${escapeHtml(id)} could not be measured:</strong> ${escapeHtml(reason)}</p>`,
    ),
    ...(bounded.length === 0 ? [] : ['<section><h2>Bounds</h2>', tableOf(bounded), '</section>']),
    ...parts.map(partHtml),
    '</body></html>\n',
  ].join('\n');
}
