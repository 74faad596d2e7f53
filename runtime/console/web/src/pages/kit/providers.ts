/** The providers that channels can be made of, in the order in which people ask for them. */
export const providers = ['telegram', 'github', 'generic-webhook'] as const
