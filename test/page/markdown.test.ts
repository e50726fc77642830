import fc from 'fast-check'
import type { Element, Nodes } from 'hast'
import { fromHtml } from 'hast-util-from-html'
import { describe, expect, it } from 'vitest'
import { renderMarkdown } from '../../sandbox/page/markdown.ts'

const render = (source: string, breaks = true): string =>
  renderMarkdown(source, { repository: 'acme/web', breaks }).toString()

function elementsOf(node: Nodes): Element[] {
  const own = node.type === 'element' ? [node] : []
  return 'children' in node ? [...own, ...node.children.flatMap(elementsOf)] : own
}

describe('Markdown is shown as GitHub shows it', () => {
  it('with tables, folded parts, small print and code', () => {
    const shown = render(
      '| A |\n| - |\n| `b` |\n\n<details><summary>More</summary>\n\n- one\n\n</details>\n\n<sub>fine</sub>',
    )
    for (const tag of [
      '<table>',
      '<code>b</code>',
      '<details>',
      '<summary>More</summary>',
      '<li>one',
      '<sub>fine</sub>',
    ]) {
      expect(shown).toContain(tag)
    }
  })

  it('without hidden comments', () => {
    expect(render('<!-- ink-deploy:state {"a":1} -->\nshown')).not.toContain('ink-deploy')
  })

  it('with a line break of the source as one on the page in comments only', () => {
    expect(render('one\ntwo')).toContain('<br>')
    expect(render('one\ntwo', false)).not.toContain('<br>')
  })

  it('with mentions and numbers as links, but not in code, links or addresses', () => {
    expect(render('see @maria and #12')).toContain('<a href="/maria" class="mention">@maria</a>')
    expect(render('see @maria and #12')).toContain('<a href="/acme/web/issues/12" class="reference">#12</a>')
    expect(render('`@maria #12`')).not.toContain('<a')
    expect(render('user@maria.example.com')).not.toContain('class="mention"')
  })

  it('with a diagram in a frame that has no rights on the page', () => {
    const [frame] = elementsOf(fromHtml(render('```mermaid\ngantt\n  a :0, 1\n```'), { fragment: true }))
    expect(frame?.tagName).toBe('iframe')
    expect(frame?.properties.sandbox).toEqual(['allow-scripts'])
    expect(frame?.properties.src).toBe(`/-/diagram.html#${encodeURIComponent('gantt\n  a :0, 1\n')}`)
  })
})

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '<svg onload=alert(1)>',
  '<style>*{display:none}</style>',
  '<iframe src="https://example.com"></iframe>',
  '<iframe class="diagram" srcdoc="<script>alert(1)</script>">',
  '<form action="https://example.com"><button>go</button></form>',
  '<p style="position:fixed">x</p>',
  '<div id="conversation" class="region">x</div>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '</div></main><body onload=alert(1)>',
  '![x](data:text/html,<script>alert(1)</script>)',
]

const FORBIDDEN = [
  'script',
  'style',
  'iframe',
  'object',
  'embed',
  'form',
  'button',
  'svg',
  'math',
  'link',
  'meta',
  'base',
]

function problemsOf(source: string): string[] {
  return elementsOf(fromHtml(render(source), { fragment: true })).flatMap(({ tagName, properties }) => [
    ...(FORBIDDEN.includes(tagName) ? [`<${tagName}>`] : []),
    ...Object.entries(properties).flatMap(([name, value]) => {
      if (/^on/i.test(name) || name === 'style' || name === 'srcDoc') return [`${tagName} ${name}`]
      if (name === 'id' && !String(value).startsWith('user-content-')) return [`${tagName} id=${value}`]
      if (/^(href|src)$/.test(name) && /^\s*(javascript|data|vbscript):/i.test(String(value)))
        return [`${tagName} ${name}=${value}`]
      return []
    }),
  ])
}

describe('text of strangers', () => {
  it.each(HOSTILE)('runs nothing and reaches nothing: %s', (source) => {
    expect(problemsOf(source)).toEqual([])
  })

  it('runs nothing whatever it is made of', () => {
    const pieces = fc.oneof(
      fc.constantFrom(...HOSTILE, '<', '>', '"', "'", '`', '```\n', '<!--', '-->', '\n\n', '<details>', '<a ', '&lt;'),
      fc.string({ maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        expect(problemsOf(parts.join(''))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
