import type { Catalogue } from '../..'

export const keys: Catalogue = {
  'keys.intro':
    'Programme rufen die API dieses Posteingangs mit einem Schlüssel auf. Aufbewahrt wird nur sein Hash: Den Schlüssel selbst sehen Sie nur einmal.',
  'keys.empty': 'Noch kein API-Schlüssel',
  'keys.empty.text':
    'Mit einem Schlüssel kann ein Programm diesen Posteingang lesen oder ihm Ereignisse senden: eine Überwachung, ein Formular Ihrer Website, ein eigener Bot.',
  'keys.none': 'Zurzeit ist kein Schlüssel gültig.',
  'keys.table': 'Schlüssel',
  'keys.ended': { one: '{n} Schlüssel, der nicht mehr gilt', other: '{n} Schlüssel, die nicht mehr gelten' },
  'keys.endedTable': 'Schlüssel, die nicht mehr gelten',
  'keys.hint': 'Die letzten Zeichen des Schlüssels',
  'keys.column.name': 'Name',
  'keys.column.scopes': 'Darf',
  'keys.column.origin': 'Herkunft',
  'keys.column.created': 'Erstellt',
  'keys.column.ends': 'Endet',
  'keys.column.actions': 'Aktionen',
  'keys.state.valid': 'Gültig',
  'keys.state.expiring': 'Endet bald',
  'keys.state.expired': 'Abgelaufen',
  'keys.state.revoked': 'Widerrufen',
  'keys.revokedAt': 'Widerrufen {time}',
  'keys.revokesAt': 'Bis {time}, da er ersetzt wurde',
  'keys.origin.api': 'Konsole',
  'keys.origin.manifest': 'Manifest',

  'keys.create': 'Schlüssel erstellen',
  'keys.create.text': 'Einer je Programm: So können Sie ihn widerrufen, ohne die anderen anzuhalten.',
  'keys.name': 'Name',
  'keys.name.hint': 'Er steht im Protokoll bei dem, was das Programm tut.',
  'keys.name.missing': 'Geben Sie dem Schlüssel einen Namen, etwa „monitoring“.',
  'keys.name.long': 'Ein Name hat höchstens 63 Zeichen (weniger mit Umlauten oder Emoji).',
  'keys.scopes': 'Was er darf',
  'keys.scopes.missing': 'Erlauben Sie mindestens eines von beiden.',
  'keys.scope.read': 'Lesen',
  'keys.scope.readText': 'Gespräche auflisten und lesen, Ereignissen folgen, den Verbrauch sehen.',
  'keys.scope.write': 'Schreiben',
  'keys.scope.writeText': 'Ereignisse senden, antworten und Gespräche ändern.',
  'keys.expires': 'Läuft ab',
  'keys.expires.never': 'Nie',
  'keys.expires.neverHint': 'Er gilt, bis ihn jemand widerruft.',
  'keys.expires.days': { one: 'In {n} Tag', other: 'In {n} Tagen' },

  'keys.made': 'Ihr neuer Schlüssel',
  'keys.made.text':
    'Kopieren Sie ihn jetzt, und bewahren Sie ihn auf, wo Geheimnisse hingehören. Er wird nicht noch einmal gezeigt.',
  'keys.made.key': 'Schlüssel „{name}“',
  'keys.made.copy': 'Schlüssel kopieren',
  'keys.made.try': 'Zum Ausprobieren:',
  'keys.made.copyCommand': 'Befehl kopieren',
  'keys.made.done': 'Fertig',
  'keys.made.warning':
    'Sie haben den Schlüssel nicht kopiert, und er kann nicht noch einmal gezeigt werden. Ist er verloren, widerrufen Sie ihn, und erstellen Sie einen anderen.',
  'keys.made.closeAnyway': 'Ohne ihn schließen',

  'keys.revoke': 'Widerrufen',
  'keys.revoke.label': '{name} widerrufen',
  'keys.revoke.title': '„{name}“ widerrufen?',
  'keys.revoke.text':
    'Programme, die ihn verwenden, werden binnen fünf Sekunden abgewiesen. Das lässt sich nicht rückgängig machen.',
  'keys.revoke.confirm': 'Schlüssel widerrufen',
  'keys.revoke.done': '„{name}“ wurde widerrufen',

  'keys.manifest.button': 'Wie widerrufen?',
  'keys.manifest.label': 'Wie {name} widerrufen wird',
  'keys.manifest.title': '„{name}“ stammt aus einem Manifest',
  'keys.manifest.text':
    'Er gehört zu {manifest} im Namensraum {namespace} und wird deshalb dort widerrufen, nicht hier.',
  'keys.manifest.take': 'Steht er dort in {field}, nehmen Sie ihn heraus, oder löschen Sie sein Secret:',
  'keys.manifest.rotate':
    'Ist es der erzeugte Schlüssel, lassen Sie einen anderen erzeugen; der alte gilt noch 24 Stunden:',
}
