// Text into HTML. Everything that a report carries (model output, file names, labels) passes through here before it meets markup.

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Safe in element content and in quoted attributes. NUL, which HTML does not allow, becomes U+FFFD. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!).replaceAll('\0', '\uFFFD')
