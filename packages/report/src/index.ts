export { toHtml, type HtmlOptions } from './to-html.ts'
export { toMarkdown } from './to-markdown.ts'
