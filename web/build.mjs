// Builds the pages into one HTML file with no outside reference.
//
//   node build.mjs               writes engine/src/output/html/index.html
//   node build.mjs --verify      fails when that file is not what the sources build
//   node build.mjs --test        runs the unit tests
//   node build.mjs --sample DIR  writes pages with made-up runs, to look at

import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(here, '../engine/src/output/html/index.html')
/** In bytes; a report is mailed around. */
const BUDGET = 200_000

const [task, argument] = process.argv.slice(2)
if (task === undefined) {
  const html = await page()
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, html)
  console.log(`${target}: ${html.length} bytes`)
} else if (task === '--verify') {
  const committed = await readFile(target, 'utf8').catch(() => '')
  if (committed !== (await page())) {
    fail('engine/src/output/html/index.html is not what the sources build; run `npm run build`')
  }
} else if (task === '--test') {
  await test()
} else if (task === '--sample' && argument !== undefined) {
  await sample(argument)
} else {
  fail('usage: node build.mjs [--verify | --test | --sample DIR]')
}

/** The page, the same bytes for the same sources. */
async function page() {
  const [script, style] = await Promise.all([bundle('src/main.tsx'), bundle('src/styles/main.css')])
  const template = await readFile(join(here, 'src/page.html'), 'utf8')
  const licenses = await notices(['preact', 'uplot'])
  // Both texts stand in raw elements, which nothing but their end tag ends.
  for (const text of [script, style]) {
    if (/<\/(script|style)|<!--/i.test(text)) fail('the bundle would end its own element')
  }
  const parts = { licenses, script, style }
  const html = template.replace(/%(licenses|script|style)%/g, (_, name) => parts[name])
  if (html.length > BUDGET) fail(`the page has ${html.length} bytes, of ${BUDGET} that it may have`)
  return html
}

async function bundle(entry) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    charset: 'utf8',
    format: 'iife',
    target: ['chrome109', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'inline',
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  return result.outputFiles[0].text.trim()
}

/** The licences of what is bundled, whose texts have to go with it. */
async function notices(packages) {
  const texts = packages.map(async (name) => {
    const text = await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8')
    return `${name}\n\n${text.trim()}`
  })
  const text = (await Promise.all(texts)).join('\n\n')
  if (text.includes('--')) fail('a licence would end its comment')
  return text
}

/** Bundles a module for Node and returns where it is, until `use` is done. */
async function forNode(entries, use) {
  const folder = await mkdtemp(join(tmpdir(), 'aiotest-web-'))
  try {
    await build({
      absWorkingDir: here,
      entryPoints: entries,
      outdir: folder,
      bundle: true,
      platform: 'node',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      jsx: 'automatic',
      jsxImportSource: 'preact',
      sourcemap: 'inline',
    })
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function test() {
  const tests = (await readdir(join(here, 'test'))).filter((name) => name.endsWith('.test.ts'))
  const entries = tests.map((name) => `test/${name}`)
  await forNode(entries, (folder) => {
    const files = tests.map((name) => join(folder, name.replace(/ts$/, 'mjs')))
    const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test-reporter=spec', '--test', ...files], {
      stdio: 'inherit',
    })
    process.exitCode = status ?? 1
  })
}

async function sample(folder) {
  const html = await page()
  await mkdir(folder, { recursive: true })
  await forNode(['fixtures/pages.ts'], async (built) => {
    const { pages } = await import(pathToFileURL(join(built, 'pages.mjs')).href)
    for (const [name, data] of Object.entries(pages())) {
      // As the engine does: nothing in the data can end its element.
      const json = JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, escape)
      const filled = html.replace(/(<script id="data"[^>]*>)/, (start) => start + json)
      await writeFile(join(folder, `${name}.html`), filled)
    }
  })
}

function escape(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
