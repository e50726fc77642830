import { type Html, html } from '../../page/html.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import type { OAuthRefusal } from './refusal.ts'

const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 32rem; margin: 4rem auto; padding: 0 1rem }
  code { overflow-wrap: anywhere }
  button { font: inherit; padding: .4rem 1.2rem; margin-right: .5rem }
`

/** The question whether a program may have a key. */
export function consentPage(request: AuthorizationRequest, ticket: string, username: string): Html {
  const { client, redirectUri, resource } = request
  return page(
    `Allow ${client.name}?`,
    html`<p><b>${client.name}</b> asks for an API key. It acts for the whole account <b>${username}</b> at <code>${resource}</code>.</p>
<p>The answer goes to <code>${new URL(redirectUri).origin}</code>.</p>
<form method="post" action="/oauth/authorize">
<input type="hidden" name="ticket" value="${ticket}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`,
  )
}

/** What a person is told when there is nobody else to tell. */
export function refusalPage({ code, message }: OAuthRefusal): Html {
  return page('This does not work', html`<p>${message} (<code>${code}</code>).</p><p>No access was given.</p>`)
}

function page(title: string, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
${content}
</html>
`
}
