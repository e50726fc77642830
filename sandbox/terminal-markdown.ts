import { lexer, type Token, type Tokens } from 'marked'
import { bold, dim } from './terminal-style.ts'

/** Markdown as lines for a terminal: what GitHub would show, without its hidden parts. */
export function renderForTerminal(markdown: string): string[] {
  return lexer(markdown).flatMap(blockLines)
}

function blockLines(token: Token): string[] {
  switch (token.type) {
    case 'heading':
      return [bold(inline(token.tokens)), '']
    case 'paragraph':
      return [inline(token.tokens), '']
    case 'table':
      return [...tableLines(token as Tokens.Table), '']
    case 'list':
      return [...(token as Tokens.List).items.map((item) => `• ${inline(item.tokens)}`), '']
    case 'code':
      return [...(token as Tokens.Code).text.split('\n').map((line) => dim(`│ ${line}`)), '']
    case 'html':
      return htmlLines(token.text)
    default:
      return []
  }
}

function inline(tokens: readonly Token[] | undefined): string {
  return (tokens ?? []).map(inlineText).join('')
}

function inlineText(token: Token): string {
  switch (token.type) {
    case 'strong':
      return bold(inline(token.tokens))
    case 'link':
      return `${inline(token.tokens)} ${dim(`(${(token as Tokens.Link).href})`)}`
    case 'codespan':
      return decode((token as Tokens.Codespan).text)
    case 'html':
      return token.raw === '<br>' ? ' · ' : ''
    default:
      return 'tokens' in token && token.tokens
        ? inline(token.tokens)
        : 'text' in token
          ? decode(String(token.text))
          : ''
  }
}

function tableLines(table: Tokens.Table): string[] {
  const rows = [table.header, ...table.rows].map((cells) => cells.map((cell) => inline(cell.tokens)))
  const widths = table.header.map((_, column) => Math.max(...rows.map((row) => plainLength(row[column] ?? ''))))
  const lines = rows.map((row) =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - plainLength(cell))).join('   '),
  )
  const [header = '', ...body] = lines
  return [dim(header), ...body]
}

function htmlLines(html: string): string[] {
  const text = html.replaceAll(/<!--[\s\S]*?-->/g, '')
  const summary = /<summary>([\s\S]*?)<\/summary>/.exec(text)?.[1]
  if (summary !== undefined) return [`▸ ${decode(summary.replaceAll(/<[^>]+>/g, ''))}`]
  const rest = decode(text.replaceAll(/<[^>]+>/g, '')).trim()
  return rest === '' ? [] : [dim(rest)]
}

function plainLength(text: string): number {
  return [...text.replaceAll(/\u001b\[\d+m/g, '')].length
}

function decode(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
