import type { Catalogue } from '../..'

export const channels: Catalogue = {
  'channels.intro':
    'Ein Kanal ist ein Weg in diesen Posteingang: ein Bot, der Webhook eines Repositorys, alles, was JSON sendet.',
  'channels.empty': 'Noch kein Kanal',
  'channels.empty.text':
    'Ein Kanal bringt Nachrichten herein: Binden Sie einen Telegram-Bot an, nehmen Sie einen GitHub-Webhook, oder lassen Sie ein Programm JSON senden. Wenige Sekunden, nachdem Sie ihn hinzugefügt haben, ist er bereit.',
  'channels.details': 'Einzelheiten',
  'channels.newTab': '(öffnet sich in einem neuen Tab)',
  'channels.manifest': 'Manifest: ChannelBinding {name}. Kennung: {id}. Seit {time}.',
  'channels.change.failed': 'Der Kanal wurde nicht geändert',
  'channels.off.text': 'Er nimmt nichts an und sendet keine Antworten.',

  'channels.health.ok': 'Bereit',
  'channels.health.working': 'Wird eingerichtet',
  'channels.health.problem': 'Braucht Aufmerksamkeit',
  'channels.health.off': 'Aus',

  'channels.conditions': 'Bedingungen',
  'channels.conditions.none': 'Noch ist nichts über ihn bekannt. Sehen Sie gleich noch einmal nach.',
  'channels.conditions.since': 'Seit {time}',
  'channels.condition.Ready': 'Einsatzbereit',
  'channels.condition.InstanceReady': 'Der Posteingang nimmt diesen Anbieter an',
  'channels.condition.AccountProven': 'Das Konto ist bestätigt',
  'channels.condition.ChannelBound': 'Seine Nachrichten kommen hierher',
  'channels.condition.WebhookRegistered': 'Der Webhook ist angemeldet',
  'channels.condition.Reconciling': 'Wird bearbeitet',
  'channels.condition.Stalled': 'Jemand muss eingreifen',
  'channels.sign.good': 'Trifft zu',
  'channels.sign.bad': 'Trifft nicht zu',
  'channels.sign.waiting': 'Noch nicht bekannt',

  'channels.add': 'Kanal hinzufügen',
  'channels.add.text': 'Er wird als ChannelBinding-Manifest geschrieben, mit Ihnen als Urheber.',
  'channels.add.submit': 'Kanal anbinden',
  'channels.add.busy': 'Wird angebunden …',
  'channels.add.done': '„{name}“ wurde hinzugefügt',
  'channels.add.doneText': 'Seine Bedingungen sagen, wann er bereit ist.',
  'channels.provider': 'Anbieter',
  'channels.provider.telegram': 'Telegram-Bot',
  'channels.provider.telegram.text':
    'Menschen schreiben einem Bot oder in seinen Gruppen; Antworten gehen dorthin zurück.',
  'channels.provider.github': 'GitHub-Webhook',
  'channels.provider.github.text':
    'Issues, Pull Requests, Workflow-Läufe und Warnungen. Antworten werden nicht gesendet.',
  'channels.provider.generic-webhook': 'Allgemeiner Webhook',
  'channels.provider.generic-webhook.text':
    'Alles, was JSON mit einem API-Schlüssel sendet. Antworten werden nicht gesendet.',
  'channels.provider.notAllowed':
    'Dieser Posteingang nimmt nichts von {provider} an: Ergänzen Sie spec.providers der SocialOpsInstance {instance}.',

  'channels.name.label': 'Name des Kanals',
  'channels.name.hint': 'Was man überall sieht, etwa „Support Telegram“.',
  'channels.name.missing': 'Geben Sie dem Kanal einen Namen.',
  'channels.name.line': 'Ein Name ist eine einzige Zeile Text.',
  'channels.name.long': 'Ein Name hat höchstens 128 Zeichen.',
  'channels.name.events': 'Ereignisse',

  'channels.target.legend': 'Was er annimmt',
  'channels.target.everyText': 'Alles, was kein anderer Kanal bindet.',
  'channels.target.oneText': 'Er geht Kanälen vor, die alles annehmen.',
  'channels.target.missing': 'Geben Sie an, welche, oder wählen Sie alle.',
  'channels.target.telegram.every': 'Jeder Chat',
  'channels.target.telegram.one': 'Ein Chat',
  'channels.target.telegram.field': 'Chat-ID',
  'channels.target.telegram.hint':
    'Eine Zahl, bei einer Gruppe etwa -1001234567890. Fügen Sie den Bot zuerst der Gruppe hinzu.',
  'channels.target.telegram.wrong': 'Eine Chat-ID ist eine ganze Zahl, etwa -1001234567890.',
  'channels.target.github.every': 'Jedes Repository',
  'channels.target.github.one': 'Ein Repository',
  'channels.target.github.field': 'Repository',
  'channels.target.github.hint': 'In der Form besitzer/name.',
  'channels.target.github.wrong': 'Schreiben Sie das Repository als besitzer/name, etwa open4x/socialops.',
  'channels.target.generic.every': 'Jede Quelle',
  'channels.target.generic.one': 'Eine Quelle',
  'channels.target.generic.field': 'Quelle',
  'channels.target.generic.hint': 'Was die Ereignisse im Feld „source“ haben.',
  'channels.target.generic.wrong': 'Eine Quelle hat keine Leerzeichen und höchstens 200 Zeichen.',

  'channels.parse.label': 'Textauszeichnung',
  'channels.parse.hint':
    'Die Auszeichnung von Antworten. Was Telegram so nicht lesen kann, wird als reiner Text gesendet.',
  'channels.parse.plain': 'Reiner Text',
  'channels.parse.html': 'HTML',
  'channels.parse.markdown': 'Markdown (alt)',
  'channels.parse.markdown2': 'MarkdownV2',
  'channels.parse.written': 'Geschrieben',
  'channels.parse.looks': 'So sieht es aus',

  'channels.account.label': 'Verbundenes Konto',
  'channels.account.missing': 'Wählen Sie ein Konto. Gibt es keines, legen Sie zuerst sein Secret an, wie gezeigt.',
  'channels.account.secret': 'Secret {name}',
  'channels.account.unproven': 'Der Anbieter hat es noch nicht bestätigt.',
  'channels.account.another': 'Ein anderes Konto verbinden …',

  'channels.teach.label': 'Ein Konto verbinden',
  'channels.teach.noBot': 'Noch ist kein Bot verbunden',
  'channels.teach.noGithub': 'Noch ist kein GitHub-Geheimnis verbunden',
  'channels.teach.bot':
    'Bitten Sie @BotFather in Telegram um einen Bot (/newbot). Das Token, das er Ihnen gibt, gehört in ein Secret beim Posteingang, nie in diese Seite.',
  'channels.teach.github':
    'Denken Sie sich einen langen Zufallstext aus: Damit unterschreibt GitHub seine Aufrufe. Er gehört in ein Secret beim Posteingang und später in die Einstellungen des Webhooks.',
  'channels.teach.where': 'Wo SocialOps läuft',
  'channels.teach.cluster': 'In einem Cluster',
  'channels.teach.dev': 'socialops dev',
  'channels.teach.clusterText':
    'Schreiben Sie {secret} in die Datei {file}, ohne Zeilenumbruch am Ende, und führen Sie aus:',
  'channels.teach.devText': 'Speichern Sie dies im Ordner von {folder}, mit dem echten Wert darin:',
  'channels.teach.token': 'das Token',
  'channels.teach.secret': 'das Geheimnis',
  'channels.teach.copyCommands': 'Befehle kopieren',
  'channels.teach.copyManifest': 'Manifest kopieren',
  'channels.teach.look': 'Nachsehen',
  'channels.teach.looking': 'Es erscheint hier von selbst, einige Sekunden später.',

  'channels.edit': 'Bearbeiten',
  'channels.edit.title': '„{name}“ bearbeiten',
  'channels.edit.text': 'Anbieter und Konto bleiben: Für andere fügen Sie einen weiteren Kanal hinzu.',
  'channels.edit.done': 'Der Kanal wurde geändert',

  'channels.switch.label': 'Aktiv: {name}',
  'channels.switch.on': 'Einschalten',
  'channels.switch.off': 'Ausschalten',
  'channels.switch.onTitle': '„{name}“ einschalten?',
  'channels.switch.offTitle': '„{name}“ ausschalten?',
  'channels.switch.bot': 'der Bot',
  'channels.switch.onTelegram':
    'Der Webhook des Bots wird bei Telegram angemeldet, Nachrichten kommen wieder herein, und Antworten werden zugestellt.',
  'channels.switch.onOther': 'Seine Ereignisse werden wieder angenommen. Berechnet werden sie wie immer.',
  'channels.switch.offLast':
    'Es ist der letzte aktive Kanal von {account}: Sein Webhook wird bei Telegram abgemeldet. Was man unterdessen schreibt, geht nicht gleich verloren, denn Telegram bewahrt es bis zu einem Tag auf. Antworten in seinen Gesprächen scheitern.',
  'channels.switch.offShared': {
    one: '{account} behält seinen Webhook, da {n} anderer aktiver Kanal ihn verwendet. Chats, die nur dieser Kanal annimmt, werden nicht mehr beachtet, und Antworten darauf scheitern.',
    other:
      '{account} behält seinen Webhook, da {n} andere aktive Kanäle ihn verwenden. Chats, die nur dieser Kanal annimmt, werden nicht mehr beachtet, und Antworten darauf scheitern.',
  },
  'channels.switch.offGithub':
    'GitHub ruft den Webhook weiterhin auf, doch die Ereignisse dieses Kanals werden nicht beachtet. Um die Aufrufe zu beenden, löschen Sie den Webhook in den Einstellungen bei GitHub.',
  'channels.switch.offGeneric':
    'Ereignisse für diesen Kanal gehen an den Standardkanal des Posteingangs oder werden nicht beachtet. Die Gespräche bleiben.',

  'channels.webhook.label': 'Webhook-URL',
  'channels.webhook.copy': 'Webhook-URL kopieren',
  'channels.webhook.none':
    'Er hat noch keine Webhook-URL: Die Instanz ist von außen nicht erreichbar (spec.exposure), oder er wird noch eingerichtet.',
  'channels.webhook.telegram': 'Sie ist für Sie bei Telegram angemeldet: Es gibt nichts einzutragen.',
  'channels.github.label': 'Bei GitHub eintragen',
  'channels.github.open': 'Die Webhooks von {repository} öffnen',
  'channels.github.settings': 'Im Repository oder in der Organisation: Settings → Webhooks → Add webhook.',
  'channels.github.url': '{field}: die Webhook-URL von oben.',
  'channels.github.type': '{field}: {value}.',
  'channels.github.secret': '{field}: was im Secret des Kontos unter {key} steht.',
  'channels.github.events':
    'Wählen Sie die Ereignisse, die Sie möchten, oder senden Sie alle: Was keine Nachricht ergibt, wird nicht beachtet und kostet nichts.',
  'channels.generic.label': 'Ein Ereignis senden',
  'channels.generic.text':
    'Aufrufer brauchen einen API-Schlüssel, der schreiben darf. Ein Ereignis mit derselben event_id wird einmal angenommen.',
  'channels.generic.copy': 'Befehl kopieren',

  'channels.test': 'Testereignis senden',
  'channels.test.title': 'Ein Testereignis an „{name}“ senden',
  'channels.test.text':
    'Ein Beispiel geht an den Webhook, wie es ein Fremder senden würde, mit einem Schlüssel, der eine Minute gilt.',
  'channels.test.charged': 'Es wird zu einem Gespräch im Posteingang und wie jedes Ereignis berechnet.',
  'channels.test.send': 'Senden',
  'channels.test.busy': 'Wird gesendet …',
  'channels.test.again': 'Noch eines senden',
  'channels.test.off': 'Der Kanal ist aus: Schalten Sie ihn zuerst ein.',
  'channels.test.taken': 'Es wurde angenommen ({status}).',
  'channels.test.refused': 'Es wurde abgewiesen ({status}).',
  'channels.test.open': 'Gespräch öffnen',
  'channels.test.answer': 'Antwort',
}
