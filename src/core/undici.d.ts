// The package describes its front door alone; see dispatch.ts for why some rooms behind it are entered by themselves.
declare module 'undici/lib/api/api-connect.js' {
  const connect: object
  export default connect
}

declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}

declare module 'undici/lib/dispatcher/dispatcher.js' {
  export { Dispatcher as default } from 'undici'
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici'
}

declare module 'undici/lib/web/fetch/index.js' {
  export { fetch } from 'undici'
}
