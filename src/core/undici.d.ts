// The package describes its front door alone; see http.ts for why some rooms behind it are entered by themselves.
declare module 'undici/lib/api/api-connect.js' {
  const connect: object
  export default connect
}

declare module 'undici/lib/dispatcher/dispatcher.js' {
  import { Dispatcher } from 'undici'

  export default Dispatcher
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  import { ProxyAgent } from 'undici'

  export default ProxyAgent
}

declare module 'undici/lib/web/fetch/index.js' {
  export { fetch } from 'undici'
}
