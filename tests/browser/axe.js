// Runs axe-core on pages in Chromium: `axe.js CHROMIUM PAGE...`. Each page is looked at on a desk and on a phone, light
// and dark; nothing may be requested but the page, and nothing may stick out sideways.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [executablePath, ...pages] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] });
let passed = 0, failed = 0;

for (const path of pages) {
  for (const width of [1100, 360]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
      const requests = [];
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(pathToFileURL(path).href);
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run());
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      const wrong = found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target).join(', ')}`);
      if (requests.length !== 1) wrong.push(`requests: ${requests.join(', ')}`);
      if (wide > 0) wrong.push(`the page is ${wide} px too wide`);
      console.log(`${wrong.length ? 'FAILED' : 'ok'}: ${path.split('/').pop()} ${width} px ${colorScheme}`);
      wrong.forEach((line) => console.log(`    ${line}`));
      if (wrong.length) failed++; else passed++;
      await page.close();
    }
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
