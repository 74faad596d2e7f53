// Texts of the pages beside the inbox: channels, keys, usage, audit, canned texts.
export const admin = {
  'channels.empty': 'No channel yet',
}
