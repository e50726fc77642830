// The package describes its front door alone; see proxy.ts for why two rooms behind it are entered by themselves.
declare module 'undici/lib/dispatcher/proxy-agent.js' {
  import { ProxyAgent } from 'undici'

  export default ProxyAgent
}

declare module 'undici/lib/web/fetch/index.js' {
  export { fetch } from 'undici'
}
