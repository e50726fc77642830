/** A module of a package that is not bundled: what stands in its place, and why nothing is missed. */
interface StandIn {
  readonly module: RegExp
  readonly contents: string
  /** The entry point that never uses it, where another one does. */
  readonly only?: 'main' | 'cli'
}

const refusing = (what: string) => `throw new Error(${JSON.stringify(`${what} is not part of this bundle`)})`

/**
 * Modules that packages load and this action never uses. Each of them would be a tenth of the bundle, or more; the tests
 * that start the bundle show that nothing asks for them.
 */
export const standIns: readonly StandIn[] = [
  // One method for each of GitHub's endpoints, and their pages: calls are made by their route (src/github/api.ts).
  {
    module: /\/@octokit\/plugin-rest-endpoint-methods\/dist-src\/index\.js$/,
    contents: 'export const restEndpointMethods = () => ({})',
  },
  {
    module: /\/@octokit\/plugin-paginate-rest\/dist-bundle\/index\.js$/,
    contents: 'export const paginateRest = () => ({})',
  },
  // @actions/github's own way through a proxy: `fetch` is always given, and knows the proxy (src/core/http.ts).
  {
    module: /\/@actions\/http-client\/lib\/index\.js$/,
    contents: 'export class HttpClient { getAgent() {} getAgentDispatcher() {} }',
  },
  { module: /\/node_modules\/undici\/index\.js$/, contents: `export function fetch() { ${refusing('fetch')} }` },
  // undici's parser is there twice, and takes the plain one where the one with vector instructions cannot be loaded.
  { module: /\/undici\/lib\/llhttp\/llhttp_simd-wasm\.js$/, contents: refusing('The parser with SIMD') },
  // What simple-git tells those who work on it, where DEBUG is set in the job's environment.
  {
    module: /\/debug\/src\/index\.js$/,
    contents: `
      const silent = () => silent
      export default Object.assign(silent, { extend: silent, formatters: {}, enabled: false, namespace: '' })`,
  },
  // The way to a key through the browser: the action is given one (src/login/key.ts).
  {
    module: /\/@modelcontextprotocol\/sdk\/dist\/esm\/client\/auth\.js$/,
    only: 'main',
    contents: `
      const refuse = () => { ${refusing('The login')} }
      export { refuse as auth, refuse as extractWWWAuthenticateParams }
      export class UnauthorizedError extends Error {}`,
  },
  // Schemas of zod 3, which the SDK takes beside those of zod 4.
  { module: /\/zod\/v3\/index\.js$/, contents: `export function object() { ${refusing('zod 3')} }` },
  {
    module: /\/zod-to-json-schema\/dist\/esm\/index\.js$/,
    contents: `export function zodToJsonSchema() { ${refusing('zod 3')} }`,
  },
  // The names of HTML's characters, for links by reference, of which no report has any.
  {
    module: /\/decode-named-character-reference\/index\.js$/,
    contents: 'export const decodeNamedCharacterReference = () => false',
  },
  // WebSockets: databases are spoken to over HTTP (src/ink/seed-database.ts).
  { module: /\/@libsql\/isomorphic-ws\/node\.mjs$/, contents: 'export class WebSocket {}' },
]

/**
 * Node's own modules that `base.js` uses. To import one takes a millisecond and more, as all that it exports is made ready (six
 * for `crypto`); asked for at the first call, most of it is never loaded.
 */
export const lateBuiltins: ReadonlySet<string> = new Set(['crypto', 'fs', 'os', 'path', 'timers/promises', 'url'])
