import type { Money } from '@/api/types'
import { regional } from '@/i18n'
import { formatUsd, microOf, type MoneyFormat } from './money'

/** An amount as the reader writes it, exactly. */
export const usd = (micro: bigint, o?: MoneyFormat): string => formatUsd(micro, regional(), o)
export const usdOf = (money: Money, o?: MoneyFormat): string => usd(microOf(money), o)
