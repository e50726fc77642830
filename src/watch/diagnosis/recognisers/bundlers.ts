import { always, andMore, type Recogniser, shownPath } from '../recogniser.ts'

const BUILD = ['build'] as const
const IMPORT_HINT =
  'Check the path and its upper and lower case (the build runs on Linux); for a package, that it is in package.json and in the lock file.'
const BUN_PLACE = /^ {4}at (?<path>\/[^\s:()]+\.[cm]?[jt]sx?):(?<line>\d+):\d+$/
const MEND = always('Mend the code at the place named, and run the same build locally before pushing.')

/** Imports and syntax as Vite (Rolldown or Rollup), Rollup, webpack, Next.js, esbuild and Bun report them. */
export const BUNDLER_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'vite/unresolved',
    tool: 'Vite',
    in: BUILD,
    pattern:
      /\[vite\]:? (?:Rolldown|Rollup) failed to resolve import "(?<import>[^"]+)" from "(?<from>[^"]+)"|\[UNRESOLVED_IMPORT\].*?Could not resolve '(?<import2>[^']+)' in (?<from2>\S+)/,
    cause: ({ groups }) =>
      `Vite cannot resolve the import “${groups.import ?? groups.import2}” in ${shownPath(groups.from ?? groups.from2)}`,
    hint: always(IMPORT_HINT),
  },
  {
    name: 'vite/no-entry',
    tool: 'Vite',
    in: BUILD,
    pattern: /Cannot resolve entry module (?<entry>\S+?)\.?$|Could not resolve entry module "(?<entry2>[^"]+)"/,
    cause: ({ groups }) => `Vite finds no ${groups.entry ?? groups.entry2}`,
    hint: always(
      'Point `root-directory` at the folder with index.html, or set `root` or `build.rollupOptions.input` in the Vite configuration.',
    ),
  },
  {
    name: 'vite/error',
    tool: 'Vite',
    in: BUILD,
    pattern: /^\[(?<code>[A-Z_]{5,}|builtin:vite-transform|vite:[\w-]+|plugin:?[\w: -]+)\]:? (?<message>.+)$/,
    cause: ({ groups, find }) => {
      const place = find(/[╭┌]─+\[ ?(?<path>[^\s:]+):(?<line>\d+)/, 4)
      const where = place === undefined ? '' : ` in ${place.path}, line ${place.line}`
      return `The Vite build fails${where}: ${groups.message}`
    },
    hint: MEND,
  },
  {
    name: 'rollup/unresolved',
    tool: 'Rollup',
    in: BUILD,
    pattern: /Could not resolve "(?<import>[^"]+)" from "(?<from>[^"]+)"/,
    cause: ({ groups }) => `Rollup cannot resolve the import “${groups.import}” in ${groups.from}`,
    hint: always(IMPORT_HINT),
  },
  {
    name: 'rollup/error',
    tool: 'Rollup',
    in: BUILD,
    pattern: /^(?:\[!\] )?(?:\([^)]*\) )?(?:RollupError|RolldownError): (?<message>.+)$/,
    cause: ({ groups }) => `The Rollup build fails: ${groups.message}`,
    hint: MEND,
  },
  {
    name: 'next/unresolved',
    tool: 'Next.js',
    in: BUILD,
    pattern: /^(?:Error: )?Module not found: Can't resolve '(?<import>[^']+)'$/,
    cause: ({ groups }) => `Next.js cannot resolve the import “${groups.import}”`,
    hint: always(IMPORT_HINT),
  },
  {
    name: 'next/build-error',
    tool: 'Next.js',
    in: BUILD,
    pattern: /Turbopack build failed with (?<count>\d+) errors?/,
    cause: ({ find }) => {
      const place = find(/^(?<path>\.\/[^\s:]+):(?<line>\d+):\d+$/, 6)
      const message = find(/^Error: (?<message>(?!Turbopack).+)$/, 8)?.message
      const where = place === undefined ? '' : ` in ${place.path?.slice(2)}, line ${place.line}`
      return `The Next.js build fails${where}${message === undefined ? '' : `: ${message}`}`
    },
    hint: MEND,
  },
  {
    name: 'webpack/unresolved',
    tool: 'webpack',
    in: BUILD,
    pattern: /^Module not found: Error: Can't resolve '(?<import>[^']+)' in '(?<from>[^']+)'/,
    cause: (match) =>
      `webpack cannot resolve the import “${match.groups.import}” in ${shownPath(match.groups.from)}${andMore(match)}`,
    hint: always(IMPORT_HINT),
  },
  {
    name: 'webpack/error',
    tool: 'webpack',
    in: BUILD,
    pattern: /^(?:\[tsl\] )?ERROR in (?<path>\.?\/?[^\s:()]+\.\w+)(?:[ (](?<line>\d+)[:,]\d+\S*)?$/,
    cause: (match) => {
      const line = match.groups.line === undefined ? '' : `, line ${match.groups.line}`
      const message = match.find(/^(?!(?:\[tsl\] )?ERROR in)(?<message>\S.+)$/, 3)?.message
      return `The webpack build fails in ${match.groups.path?.replace(/^\.\//, '')}${line}${message === undefined ? '' : `: ${message}`}`
    },
    hint: MEND,
  },
  {
    name: 'bun/error',
    tool: 'Bun',
    in: BUILD,
    pattern: /^error: (?<message>.+)$/,
    near: { pattern: BUN_PLACE, below: 2 },
    cause: ({ groups, find }) => {
      const place = find(BUN_PLACE, 3)
      return `The Bun build fails in ${shownPath(place?.path)}, line ${place?.line}: ${groups.message}`
    },
    hint: MEND,
  },
]
