import { needsShared, readJsonLines } from '@weft/fixtures'
import { describe, expect, test } from 'vitest'
import { chatMlTemplate, compileChatTemplate, type RenderOptions } from './chat-template.ts'

const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello!\n' },
  { role: 'user', content: 'Bye' },
  { role: 'assistant', content: ' See you. ' },
] as const

const said = (source: string, options: Partial<RenderOptions> = {}): string[] => {
  const { text, assistantSpans } = compileChatTemplate(source).renderWithSpans({ messages, ...options })
  return assistantSpans.map(([start, end]) => text.slice(start, end))
}

/** ChatML as most models have it, without marks. */
const plainChatMl =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

describe('the own template', () => {
  const template = compileChatTemplate(chatMlTemplate)

  test('is ChatML', () => {
    expect(template.render({ messages: messages.slice(0, 3) })).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!\n<|im_end|>\n',
    )
    for (const addGenerationPrompt of [true, false]) {
      expect(template.render({ messages, addGenerationPrompt })).toBe(compileChatTemplate(plainChatMl).render({ messages, addGenerationPrompt }))
    }
  })

  test('what the assistant says ends with its end token', () => {
    expect(said(chatMlTemplate)).toEqual(['Hello!\n<|im_end|>', ' See you. <|im_end|>'])
    expect(said(chatMlTemplate, { messages: messages.slice(0, 2), addGenerationPrompt: true })).toEqual([])
  })
})

describe('without marks', () => {
  test('a turn is what it adds behind the generation prompt', () => {
    expect(said(plainChatMl)).toEqual(['Hello!\n<|im_end|>\n', ' See you. <|im_end|>\n'])
  })

  test('messages may speak of the template', () => {
    const tricky = [{ role: 'user', content: '\u00020\u0002{% generation %}' }, { role: 'assistant', content: '<|im_end|>\u00030\u0003' }]
    expect(said(plainChatMl, { messages: tricky })).toEqual(['<|im_end|>\u00030\u0003<|im_end|>\n'])
    expect(said(chatMlTemplate, { messages: tricky })).toEqual(['<|im_end|>\u00030\u0003<|im_end|>'])
  })

  test('a turn that is written differently later cannot be told', () => {
    const onlyLast = "{% for m in messages %}{{ m.content }};{% if m.role == 'assistant' and loop.last %}<e>{% endif %}{% endfor %}"
    expect(() => said(onlyLast)).toThrow(expect.objectContaining({ kind: 'unsupported', message: expect.stringMatching(/message 2 is written differently.*generation/) as string }))
    const otherPrompt = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}<think>{% endif %}"
    expect(() => said(otherPrompt)).toThrow(/message 2 does not begin with the generation prompt/)
  })
})

describe('generation blocks', () => {
  const block = (open: string, close: string, inside = '{{ m.content }}') =>
    `{% for m in messages %}\n  {% if m.role == 'assistant' %}\n A: ${open}\n  ${inside}\n  ${close}\n\n  {% else %}U: {{ m.content }}\n  {% endif %}\n{% endfor %}`

  test.each([
    ['{% generation %}', '{% endgeneration %}'],
    ['{%- generation -%}', '{%- endgeneration -%}'],
    ['{% generation -%}', '{% endgeneration -%}'],
    ['{%-generation%}', '{%-endgeneration%}'],
  ])('%s … %s', (open, close) => {
    const template = compileChatTemplate(block(open, close))
    const { text, assistantSpans } = template.renderWithSpans({ messages })
    expect(text).toBe(template.render({ messages }))
    expect(assistantSpans.map(([start, end]) => text.slice(start, end).trim())).toEqual(['Hello!', 'See you.'])
  })

  test('where marks would change the text, turns are told by what they add', () => {
    const filtered = "{% for m in messages %}{% set said %}{% generation %}{{ m.content }}{% endgeneration %}{% endset %}{{ said | length }}{{ said }}{% endfor %}"
    expect(said(filtered)).toEqual(['7Hello!\n', '10 See you. '])
  })
})

test('messages of the contracts become those that templates know', () => {
  const template = compileChatTemplate('{% for m in messages %}{{ m | tojson }}\n{% endfor %}{{ tools | tojson }}{{ bos_token }}{{ custom_name }}{{ X }}')
  const text = template.render({
    messages: [
      { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'add', arguments: { x: 1 } }] },
      { role: 'tool', content: '3', toolCallId: 'a', name: 'add' },
    ],
    tools: [{ type: 'function', function: { name: 'add' } }],
    bosToken: '<s>',
    customName: 7,
    X: '!',
  })
  expect(text.split('\n').slice(0, 2).map((line) => JSON.parse(line) as unknown)).toEqual([
    { role: 'assistant', content: '', tool_calls: [{ id: 'a', type: 'function', function: { name: 'add', arguments: { x: 1 } } }] },
    { role: 'tool', content: '3', name: 'add', tool_call_id: 'a' },
  ])
  expect(text.split('\n')[2]).toBe('[{"type": "function", "function": {"name": "add"}}]<s>7!')
})

test('variables may be given once for all', () => {
  const template = compileChatTemplate('{{ bos_token }}{{ eos_token }}', { variables: { bosToken: '<s>', eosToken: '</s>' } })
  expect(template.render({ messages: [] })).toBe('<s></s>')
  expect(template.render({ messages: [], eosToken: '<e>' })).toBe('<s><e>')
})

test('a broken template and a refusal are told apart', () => {
  expect(() => compileChatTemplate('{% if %}', { name: 'a.jinja' })).toThrow(expect.objectContaining({ kind: 'format', message: expect.stringMatching(/^a\.jinja: expected a Jinja template/) as string }))
  const strict = compileChatTemplate("{{ raise_exception('roles must alternate') }}", { name: 'a.jinja' })
  expect(() => strict.render({ messages })).toThrow(expect.objectContaining({ kind: 'config', message: 'a.jinja: rendering 5 messages failed: roles must alternate' }))
})

const templates = needsShared('data/chat-templates/templates.jsonl')

describe.skipIf(templates.missing)(`templates of real models${templates.note}`, () => {
  const rows = templates.missing ? [] : (readJsonLines(templates.path) as { name: string; chat_template: string; data: RenderOptions; target: string }[])

  test.each(rows.map((row) => [row.name, row] as const))('%s', (name, row) => {
    const template = compileChatTemplate(row.chat_template)
    // This one's reference was rendered without the variable, which transformers always sets.
    const data = name.includes('Jamba') ? { ...row.data, addGenerationPrompt: true } : row.data
    const withoutDate = (text: string) => text.replace(/\d\d? [A-Z][a-z]+ \d{4}/g, 'today')
    expect(withoutDate(template.render(data))).toBe(withoutDate(row.target))
  })

  test('most tell what the assistant says', () => {
    const turns = rows.filter(({ data }) => data.messages.some((message) => message['role' as never] === 'assistant'))
    const told = turns.filter(({ chat_template, data }) => {
      try {
        const { text, assistantSpans } = compileChatTemplate(chat_template).renderWithSpans(data)
        return assistantSpans.length > 0 && assistantSpans.every(([start, end]) => start < end && end <= text.length)
      } catch {
        return false
      }
    })
    expect([turns.length, told.length]).toEqual([24, 18])
  })
})
