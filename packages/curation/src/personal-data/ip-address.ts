// IPv4 addresses as datatrove finds them: four octets, no boundary asked for, and by default only those that the internet routes.
import type { Span } from '../step.ts'

const octet = '(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)'
const address = new RegExp(`(?:${octet}\\.){3}${octet}`, 'g')

/** First address and prefix length of what Python 3.11.7's `ipaddress` holds to be private or shared. */
const localNetworks = (
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/29 192.0.0.170/31 192.0.2.0/24 192.168.0.0/16 ' +
  '198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4'
)
  .split(' ')
  .map((network) => {
    const [first = '', bits = ''] = network.split('/')
    return { first: toNumber(first), size: 2 ** (32 - Number(bits)) }
  })

function toNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

/** Octets with leading zeros make no address. */
const isAddress = (dotted: string): boolean => !dotted.split('.').some((part) => part.length > 1 && part.startsWith('0'))

/** Whether an address is reachable from the whole internet. */
const isPublicAddress = (dotted: string): boolean => {
  const value = toNumber(dotted)
  return isAddress(dotted) && !localNetworks.some(({ first, size }) => value >= first && value < first + size)
}

/** Addresses in text[from, to); a part of a longer number counts too. */
export const findIpAddresses = (text: string, from: number, to: number, onlyPublic: boolean): Span[] =>
  [...text.slice(from, to).matchAll(address)]
    .filter(([found]) => (onlyPublic ? isPublicAddress(found) : isAddress(found)))
    .map((match): Span => [from + match.index, from + match.index + match[0].length])
