// Emoticons that stay one token. Faces with eyes and mouths are put together; the others are written out.

const faces = (eyes: readonly string[], noses: readonly string[], mouths: readonly string[]): string[] =>
  eyes.flatMap((eye) => noses.flatMap((nose) => mouths.map((mouth) => eye + nose + mouth)))

export const emoticons: readonly string[] = [
  ...faces([':'], ['', '-'], [')', '))', ')))', '(', '((', '(((', '*', '/', '0', '3', '>', 'D', 'O', 'P', 'X', ']', 'o', 'p', 'x', '|', '}']),
  ...faces([':'], ["'", "'-", '’', '’-'], [')', '(']),
  ...faces([';'], ['', '-'], [')', 'D']),
  ...faces(['8'], ['', '-'], [')', 'D']),
  ...faces(['='], [''], [')', '(', '/', '3', 'D', '[', ']', '|']),
  ...faces(['(', '['], [''], [':', '-:', '=']),
  ...faces(['<'], [''], ['3', '33', '333', '/3']),
  '(;', '(-;', '(-8', '(o:', ')-:', '):', ']=', ':()', ':1', ':o)', '>:(', '>:o', '><(((*>',
  'xD', 'xDD', 'XD', 'XDD', '<.<', '>.<', '>.>', '@_@', ';_;', '._.', '-_-', '-__-', '^_^', '^__^', '^___^', 'v_v', 'V_V', 'v.v', 'V.V',
  ...['00', '0o', 'o0', 'oo', 'oO', 'Oo', 'OO'].flatMap((eyes) => ['.', '_'].map((nose) => eyes[0] + nose + eyes[1])),
  '(*_*)', '(-_-)', '(._.)', '(>_<)', '(^_^)', '(¬_¬)', '(ಠ_ಠ)', 'ಠ_ಠ', 'ಠ︵ಠ', '(╯°□°）╯︵┻━┻', '¯\\(ツ)/¯',
]
