import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/core/analysis/analysis.js';
import { parseDumps } from '../../src/core/dump/parse-dumps.js';
import { SCRIPT } from '../../src/core/report/html-script.js';
import { writeIndexPage } from '../../src/io/archive/index-page.js';
import { openIncident } from '../../src/io/archive/writer.js';
import { incident, opening, partsOf } from '../fixtures/archive-sample.js';
import { hostileReport } from '../fixtures/hostile-report.js';
import { readGolden } from '../golden/golden.mjs';
import { temporaryDirectory } from '../support/temporary.js';
import { WORST_CONTRAST, WORST_CONTRAST_IN_PICTURES } from './contrast.js';

const CHROMIUM = '/usr/bin/chromium';
const QUIET = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

let browser: Browser;
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing. Fix: apt-get install chromium`);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET, headless: true });
}, 60_000);
afterAll(() => browser.close());

/** Opens a report in a browser without a network and notes whatever it tries. */
async function opened(
  path: string,
  colorScheme: 'light' | 'dark',
  javaScriptEnabled = true,
): Promise<{ page: Page; noise: string[] }> {
  const viewport = { width: 1280, height: 900 };
  const page = await browser.newPage({ colorScheme, offline: true, viewport, javaScriptEnabled });
  const noise: string[] = [];
  page.on('request', (request) => noise.push(`request ${request.url()}`));
  page.on('console', (message) => noise.push(`console ${message.text()}`));
  page.on('pageerror', (error) => noise.push(`error ${error.message}`));
  page.on('dialog', (dialog) => {
    noise.push('dialog');
    void dialog.dismiss();
  });
  await page.goto(pathToFileURL(path).href);
  return { page, noise };
}

describe('report.html of a hostile guest in a browser', () => {
  it.each(['light', 'dark'] as const)('stays a quiet page, %s', async (scheme) => {
    const path = await hostileReport();
    const { page, noise } = await opened(path, scheme);
    expect(noise).toEqual([`request ${pathToFileURL(path).href}`]);
    expect(await page.locator('iframe, img, link, object, embed, form').count()).toBe(0);
    expect(await page.locator('script').allTextContents()).toEqual([SCRIPT]);
    expect(await page.evaluate('document.title')).not.toBe('owned');
    const first = page.locator('h1, h2, h3').first();
    expect(await first.evaluate((heading) => heading.nodeName)).toBe('H1');
    expect(await first.textContent()).toMatch(/^stuck in <\/pre><\/style>/);
    // Long words and lines scroll in their own boxes.
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.screenshot({
      path: join(process.env['WEDGEWATCH_SHOTS'] ?? (await temporaryDirectory()), `${scheme}.png`),
    });
    await page.close();
  });

  it('is of a bounded size and has nothing to obey in it', async () => {
    const path = await hostileReport();
    expect((await stat(path)).size).toBeLessThan(2 << 20);
    const html = await readFile(path, 'utf8');
    // eslint-disable-next-line no-control-regex -- their absence is the point
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });

  it('runs no script of others even if a tag came through', async () => {
    const { page } = await opened(await hostileReport(), 'light');
    await page.evaluate(`new Promise((resolve) => {
      const image = Object.assign(new Image(), { src: 'x' });
      image.setAttribute('onerror', 'document.title = "owned"');
      image.addEventListener('error', resolve);
      const script = Object.assign(document.createElement('script'), { text: 'document.title = "owned"' });
      document.body.append(script, image);
    })`);
    expect(await page.evaluate('document.title')).not.toBe('owned');
    await page.close();
  });
});

it('a report can be read: headings in order, table heads, contrast', async () => {
  const writer = await openIncident(await temporaryDirectory(), opening());
  await writer.dump('sysrq-t', ['sysrq: Show State']);
  const { path } = await writer.file(incident(), partsOf());
  for (const scheme of ['light', 'dark'] as const) {
    const { page } = await opened(join(path, 'report.html'), scheme);
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    const levels = await page
      .locator('h1, h2, h3')
      .evaluateAll((all) => all.map((one) => Number(one.nodeName[1])));
    expect(levels[0]).toBe(1);
    for (const [index, level] of levels.slice(1).entries())
      expect(level - levels[index]!).toBeLessThanOrEqual(1);
    expect(await page.locator('table').count()).toBe(await page.locator('table:has(th[scope=col])').count());
    expect(await page.evaluate(WORST_CONTRAST)).toBeGreaterThanOrEqual(4.5);
    await page.close();
  }
});

describe('the pictures of a report', () => {
  /** A log of a real guest whose unlinks wait for an open that waits for a dead virtiofs. */
  async function real(): Promise<string> {
    const analysis = analyze(parseDumps(readGolden('inode-lock').log.toString().split('\n')), {
      secondsBetweenLooks: 3,
      shares: [],
      kernelCommandLine: null,
    });
    const writer = await openIncident(await temporaryDirectory(), opening());
    const { path } = await writer.file(incident(analysis), partsOf());
    return join(path, 'report.html');
  }

  it.each(['light', 'dark'] as const)(
    'are drawn, in words as well, and pass axe, %s',
    async (scheme) => {
      const { page, noise } = await opened(await real(), scheme);
      expect(await page.getByRole('img', { name: 'Who waits for whom' }).count()).toBe(1);
      expect(await page.getByRole('img', { name: 'Icicle of all stacks' }).count()).toBe(1);
      const root = page.locator('.box.root');
      expect(await root.textContent()).toContain('init:108');
      const { right, bottom } = await root.evaluate((box) => box.getBoundingClientRect().toJSON() as DOMRect);
      expect([right < 1280, bottom < 900]).toEqual([true, true]);
      expect(await page.locator('#waits-text').textContent()).toContain('The root cause is init:108.');
      expect(await page.locator('.bar > .hatched').count()).toBeGreaterThan(2);
      expect(await page.evaluate(WORST_CONTRAST_IN_PICTURES)).toBeGreaterThanOrEqual(4.5);
      expect(await problemsOf(page)).toEqual([]);
      expect(noise).toHaveLength(1);
      await page.screenshot({ path: await shots(`pictures-${scheme}`), fullPage: true });
      await page.close();
    },
    60_000,
  );
});

/** What axe finds on a page, each with its element. */
async function problemsOf(page: Page): Promise<unknown> {
  await page.evaluate(await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8'));
  return page.evaluate(
    `axe.run({ preload: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
  );
}

const shots = async (name: string) =>
  join(process.env['WEDGEWATCH_SHOTS'] ?? (await temporaryDirectory()), `${name}.png`);

describe('with a script and without', () => {
  /** The report of a capture with its dump, and what was seen meanwhile. */
  async function withDumps(): Promise<string> {
    const lines = readGolden('inode-lock').log.toString().split('\n');
    const analysis = analyze(parseDumps(lines), {
      secondsBetweenLooks: 3,
      shares: [],
      kernelCommandLine: null,
    });
    const writer = await openIncident(await temporaryDirectory(), opening());
    await writer.dump('sysrq-t', lines);
    const at = (second: number) => `2026-09-18T10:14:${second}.000Z`;
    const marks = [
      { at: at(46), lane: 'ssh' as const, text: 'answers', good: true },
      { at: at(52), lane: 'ssh' as const, text: 'timed-out', good: false },
      { at: at(53), lane: 'looks' as const, text: 'QMP answers', good: true },
    ];
    const { path } = await writer.file(incident(analysis), { ...partsOf(), marks });
    return join(path, 'report.html');
  }

  it('words are found in groups and rows, groups unfold, and the mail is copied', async () => {
    const report = await withDumps();
    const { page, noise } = await opened(report, 'light');
    const visible = () => page.locator('.group:visible').count();
    const all = await visible();
    await page.getByLabel('Find').fill('INIT fuse_lookup');
    await page
      .locator('.find .soft')
      .getByText(/^\d+ of \d+ contain it$/)
      .waitFor();
    expect(await visible()).toBeGreaterThan(0);
    expect(await visible()).toBeLessThan(all);
    await page.getByLabel('Find').fill('no such word');
    expect(await visible()).toBe(0);
    await page.getByLabel('Find').fill('');
    expect(await visible()).toBe(all);
    await page.getByRole('button', { name: 'Unfold all' }).click();
    expect(await page.locator('.group:not([open])').count()).toBe(0);
    await page.getByRole('button', { name: 'Copy the mail' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(noise).toHaveLength(1);
    await page.close();
    const root = dirname(dirname(dirname(report)));
    await writeIndexPage(root);
    const index = await opened(join(root, 'index.html'), 'light');
    await index.page.getByLabel('Find').fill('no such guest');
    expect(await index.page.locator('#incidents tbody tr:visible').count()).toBe(0);
    await index.page.close();
  });

  it('a report is filtered without, and a reason leads into the dump', async () => {
    const { page, noise } = await opened(await withDumps(), 'light', false);
    expect(await page.locator('.find, button').count()).toBe(0);
    const visible = () => page.locator('.group:visible').count();
    const all = await visible();
    await page.locator('.pick-state-D').check();
    const blocked = await visible();
    expect(blocked).toBeGreaterThan(0);
    expect(blocked).toBeLessThan(all);
    expect(await page.locator('.group.state-S:visible').count()).toBe(0);
    await page.locator('.facet input').first().check();
    expect(await visible()).toBe(all);
    await page.locator('.pick-idle').check();
    expect(await visible()).toBeGreaterThan(all);
    const link = page.locator('#why .see a').first();
    const target = page.locator(`[id="${(await link.getAttribute('href'))!.slice(1)}"]`);
    expect(await target.isVisible()).toBe(false);
    await link.click();
    expect(await target.isVisible()).toBe(true);
    expect(await target.textContent()).toContain('init');
    expect(await page.locator('.timeline .mark.bad').count()).toBe(1);
    expect(noise).toHaveLength(1);
    await page.close();
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 400],
    ['dark', 400],
  ] as const)(
    'report and index pass axe and fit, %s at %i px',
    async (scheme, width) => {
      const report = await withDumps();
      const root = dirname(dirname(dirname(report)));
      await writeIndexPage(root);
      for (const [name, path] of [
        ['report', report],
        ['index', join(root, 'index.html')],
      ] as const) {
        const { page, noise } = await opened(path, scheme);
        await page.setViewportSize({ width, height: 900 });
        await page.locator('details').evaluateAll((all) => {
          for (const one of all) one.setAttribute('open', '');
        });
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect(await problemsOf(page)).toEqual([]);
        expect(await page.evaluate(WORST_CONTRAST)).toBeGreaterThanOrEqual(4.5);
        await page.screenshot({ path: await shots(`${name}-${width}-${scheme}`), fullPage: true });
        if (name === 'index') {
          await page.locator('#incidents a').first().click();
          expect(await page.locator('h1').textContent()).toContain('init:108');
        } else expect(noise).toHaveLength(1);
        await page.close();
      }
    },
    60_000,
  );
});
