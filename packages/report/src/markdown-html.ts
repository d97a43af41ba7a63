// A text section's markdown to HTML that can do nothing but be read: raw HTML is shown as text, images (which would be fetched)
// become their description, links go to http, https and mailto alone.
import { Marked, type Tokens } from 'marked'
import { escapeHtml } from './escape-html.ts'

const SECTION_DEPTH = 2 // the page's title is h1, a section's h2: headings inside a section begin below

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
    image: ({ text }: Tokens.Image) => escapeHtml(text),
    heading({ tokens, depth }: Tokens.Heading) {
      const level = Math.min(6, depth + SECTION_DEPTH)
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`
    },
    link({ href, tokens }: Tokens.Link) {
      const label = this.parser.parseInline(tokens)
      return isSafeLink(href) ? `<a href="${escapeHtml(href)}" rel="noreferrer noopener">${label}</a>` : label
    },
  },
})

export const markdownToHtml = (markdown: string): string =>
  marked
    .parse(markdown.replaceAll('\0', '\uFFFD'), { async: false })
    .replaceAll('<table>', '<div class="scroll"><table>')
    .replaceAll('</table>', '</table></div>')

/** Judged as a browser reads it, which drops control characters and blanks before it looks for the scheme. */
const isSafeLink = (href: string): boolean => {
  if (href.startsWith('#')) return true
  try {
    return ['http:', 'https:', 'mailto:'].includes(new URL(href).protocol)
  } catch {
    return false
  }
}
