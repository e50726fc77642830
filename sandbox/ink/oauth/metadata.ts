/** RFC 9728. */
export function resourceMetadata(origin: string, resource: string) {
  return {
    resource,
    authorization_servers: [origin],
    bearer_methods_supported: ['header'],
    resource_name: 'Ink MCP',
  }
}

/** RFC 8414, with the members that RFC 7591, RFC 7636 and RFC 9207 add. */
export function serverMetadata(origin: string) {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/oauth/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    registration_endpoint: `${origin}/oauth/register`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code'],
    token_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
}
