import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Protocol } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  type InitializeResult,
  InitializeResultSchema,
  LATEST_PROTOCOL_VERSION,
  type Notification,
  type Request,
  type Result,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/sdk/types.js'
import type { Fetch } from './http.ts'

/** How long one request may take, and what ends it. */
interface RequestLimits {
  readonly signal: AbortSignal
  /** Milliseconds; the SDK's own minute unless told otherwise. */
  readonly timeout?: number
}

/**
 * A client of MCP over Streamable HTTP that shakes hands and asks, on the SDK's protocol and transport. The SDK's `Client` does
 * more than is wanted here: it compiles the `outputSchema` of every tool, patterns and all, which is code of strangers, and to
 * build its schemas for prompts, resources, sampling and the like takes half as long as it takes Node to start.
 */
export class McpClient extends Protocol<Request, Notification, Result> {
  /** What the server said of itself; undefined before the handshake. */
  server: InitializeResult | undefined
  readonly #transport: StreamableHTTPClientTransport

  constructor(url: URL, options: { readonly fetch: Fetch; readonly requestInit: RequestInit }) {
    super()
    this.#transport = new StreamableHTTPClientTransport(url, options)
  }

  /**
   * Shakes hands (MCP 2025-06-18, Lifecycle). Must be closed afterwards, also after a failure, or the process does not end.
   * @throws Error when the server speaks no version that is known here, and whatever `fetch` throws
   */
  async open(limits: RequestLimits): Promise<void> {
    // The transport declares its optional members as `T | undefined`, which exactOptionalPropertyTypes tells apart.
    await this.connect(this.#transport as Parameters<this['connect']>[0])
    const clientInfo = { name: 'ink-deploy', version: '1.0.0' }
    const params = { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo }
    const server = await this.request({ method: 'initialize', params }, InitializeResultSchema, limits)
    const { protocolVersion } = server
    if (!SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion))
      throw new Error(`Server's protocol version is not supported: ${protocolVersion}`)
    this.server = server
    this.#transport.setProtocolVersion(protocolVersion)
    // A notification takes no signal, and whoever is told of it may not answer.
    const stop = () => void this.close()
    limits.signal.addEventListener('abort', stop, { once: true })
    try {
      await this.notification({ method: 'notifications/initialized' })
    } finally {
      limits.signal.removeEventListener('abort', stop)
    }
  }

  /** Tells the server that its session is over. Servers need not support that (the specification allows 405). */
  terminate(): Promise<void> {
    return this.#transport.terminateSession()
  }

  // What a server does not offer it refuses itself, and this client offers nothing.
  protected override assertCapabilityForMethod(): void {}
  protected override assertNotificationCapability(): void {}
  protected override assertRequestHandlerCapability(): void {}
  protected override assertTaskCapability(): void {}
  protected override assertTaskHandlerCapability(): void {}
}
