package desk

// customers are conversations with people. Agents are alice, who owns the inbox,
// bob and carol.
var customers = []story{
	{ago: 20*days + 5*hours, name: "jonas", person: person(1, "Jonas", "Lindqvist", "jonasl", "sv"), steps: []step{
		says(0, "Hi, does the Comet 2 kit come with the parachute or do I order that separately?"),
		reply(m(14), "Hi Jonas, the parachute is in the box, and so is wadding for the first three launches."),
		says(m(3), "Great, ordered. Thanks!"), resolved(m(2)),
	}},
	{ago: 18*days + 2*hours, name: "chiara", person: person(2, "Chiara", "Bianchi", "chiarab", "it"), steps: []step{
		says(0, "Buongiorno! My invoice shows the wrong VAT number. Order 20417."),
		set(m(6), "labels", labels("billing"), "assignee", "sub:carol"),
		note(m(1), "Number was changed in the shop after the order. Finance can issue a corrected invoice."),
		reply(m(20), "Buongiorno Chiara, you will have a corrected invoice by e-mail tomorrow."),
		says(26*hours, "Arrived, grazie mille!"), resolved(m(10)),
	}},
	{ago: 16 * days, name: "oskar", person: person(3, "Oskar", "Novák", "oskarn", "cs"), steps: []step{
		says(0, "The fins of my Falcon kit are warped. Is that normal?"),
		says(m(1), "They look like this: ⌒ instead of —"),
		reply(m(42), "That is not how they should be, sorry. Please steam them for a minute and press them flat under books overnight. If they are still bent, we send new ones."),
		says(22*hours, "Books worked 📚🚀"), set(m(4), "status", "resolved", "labels", labels("product")),
	}},
	{ago: 13*days + 7*hours, name: "amira", person: person(4, "Amira", "Haddad", "amira_h", "ar"), steps: []step{
		says(0, "مرحبا، هل تشحنون إلى الأردن؟"),
		note(m(5), "She asks whether we ship to Jordan. Motors no, kits yes."),
		reply(m(9), "مرحبا أميرة، نعم نشحن المجموعات إلى الأردن، لكن المحركات لا يمكن شحنها جوا."),
		says(m(30), "شكرا جزيلا 🌹"), set(m(3), "status", "resolved", "labels", labels("shipping")),
	}},
	{ago: 11*days + 3*hours, name: "dmitri", person: person(5, "Dmitri", "Volkov", "dvolkov", "ru"), steps: []step{
		says(0, "Can I cancel order 20533? I chose the wrong engine size."),
		set(m(3), "labels", labels("order"), "assignee", "sub:bob"),
		reply(m(4), "Done, 20533 is cancelled and the money is on its way back. Which rocket is it for? I can tell you the right engine."),
		says(m(2), "The Meteor 4"), reply(m(3), "Then you want a C6-5."), says(m(1), "👍"), resolved(hours),
	}},
	{ago: 9 * days, name: "yuki", person: person(6, "結衣", "田中", "yui_t", "ja"), steps: []step{
		says(0, "こんにちは。発射台のコントローラーの電池が切れました。どの電池を使えばいいですか？"),
		reply(m(35), "こんにちは。単3アルカリ電池を4本お使いください。充電池は電圧が足りません。"),
		says(m(8), "わかりました。ありがとうございます！"), set(m(3), "status", "resolved", "labels", labels("product")),
	}},
	{ago: 8*days + 4*hours, name: "fatou", person: person(7, "Fatou", "Diallo", "fatoud", "fr"), steps: []step{
		says(0, "Bonjour, mon colis est marqué livré mais je n'ai rien reçu. Commande 20611."),
		set(m(2), "priority", "high", "labels", labels("shipping"), "assignee", "sub:alice"),
		reply(m(7), "Bonjour Fatou, je regarde avec la poste et je reviens vers vous aujourd'hui."),
		note(m(50), "Carrier: left with a neighbour, no. 14. Signature says Ndiaye."),
		reply(m(2), "Le colis a été remis à M. Ndiaye, au numéro 14. L'avez-vous vu ?"),
		says(3*hours, "Trouvé ! Merci beaucoup"), resolved(m(2)),
	}},
	{ago: 6*days + 6*hours, name: "liam", person: person(8, "Liam", "O'Connor", "liamoc", "en"), steps: []step{
		says(0, "School order: we would need 28 starter kits by the 12th. Possible? Any discount?"),
		set(m(12), "priority", "high", "labels", labels("sales", "schools"), "assignee", "sub:alice"),
		note(m(1), "31 in stock. Schools get 15 %."),
		reply(m(3), "Hi Liam, yes: 28 kits are reserved until Friday, and schools get 15 % off. Shall I send a quote?"),
		says(m(40), "Please do, to the head's office."), reply(m(25), "Sent. It is valid for 30 days."),
		says(2*days, "The head has signed, order comes today"), resolved(hours),
	}},
	{ago: 5 * days, name: "ines", person: person(9, "Inês", "Carvalho", "inescv", "pt"), steps: []step{
		says(0, "Is there a way to change the delivery address? Order 20702, not sent yet according to the page"),
		reply(m(5), "Sure, where should it go?"),
		says(m(2), "Rua das Flores 88, Porto"), set(m(1), "labels", labels("shipping", "order")),
		reply(m(2), "Changed. It leaves tomorrow morning."), resolved(m(30)),
	}},
	{ago: 4*days + 2*hours, name: "viktor", person: person(10, "Viktor", "Horváth", "vhorvath", "hu"), steps: []step{
		says(0, "You charged me twice!!! Order 20688"),
		set(m(2), "priority", "urgent", "labels", labels("billing"), "assignee", "sub:bob"),
		reply(m(6), "I am sorry about that. I see two authorisations, one of which lapses by itself within 3 days."),
		says(m(1), "Not good enough. I am done with you."),
		{after: m(2), kind: Blocks},
		{after: m(15), kind: Fails, text: "Dear Viktor, the second authorisation has been released by hand, the money is back on your card today."},
		note(m(3), "He has blocked the bot. Wrote him an e-mail instead."),
		set(m(1), "status", "pending"),
	}},
	{ago: 3*days + 8*hours, name: "priya", person: person(11, "Priya", "Raman", "priyar", "en"), steps: []step{
		says(0, "Hello! Engine failed to ignite three times in a row. Same batch A2026-04."),
		set(m(4), "priority", "high", "labels", labels("product", "safety"), "assignee", "sub:carol"),
		reply(m(6), "Hi Priya, please do not use that batch any more. Could you tell me the number printed on the side of the igniter bag?"),
		says(m(20), "IG-7731"),
		note(m(2), "Third report about IG-7731 this week. Asked the factory."),
		reply(m(1), "Thank you, that helps. New igniters are on the way to you, free of charge."),
		says(hours, "Wonderful service, thanks 🙏"), set(m(30), "status", "pending"),
	}},
	{ago: 2*days + 9*hours, name: "tomas", person: person(12, "Tomás", "García", "tomasg", "es"), steps: []step{
		says(0, "Hola, ¿tenéis el catálogo en PDF?"), reply(m(11), "Hola Tomás, sí: está en la página de descargas, abajo a la derecha."),
		says(m(3), "No lo veo en el móvil"), reply(m(2), "Tienes razón, en el móvil falta. Lo arreglamos; mientras tanto te lo mando por correo."), resolved(hours),
	}},
	{ago: 2*days + 1*hours, name: "ava", person: person(13, "Ava", "Thompson", "avat", "en"), steps: []step{
		says(0, "my son's rocket is stuck in a tree, any trick to get it down? 😅"),
		reply(m(8), "Ha, it happens to the best of us! A long pole with a hook works, please no climbing. If the body tube is torn we have spare ones."),
		says(m(45), "got it with a broom. tube is fine. thank you!!"), resolved(m(2)),
	}},
	{ago: 1*days + 7*hours, name: "marek", person: person(14, "Marek", "Kowalski", "mkowal", "pl"), steps: []step{
		says(0, "Dzień dobry, when will the Saturn V kit be back in stock?"),
		set(m(9), "labels", labels("stock")),
		reply(m(1), "Dzień dobry Marek, in about two weeks. I have put you on the list, you get a message."),
		says(m(4), "Perfect"), set(m(1), "status", "pending"),
	}},
	{ago: 26 * hours, name: "sofia", person: person(15, "Sofia", "Papadopoulou", "sofiap", "el"), steps: []step{
		says(0, "Hi, I returned the controller ten days ago (return R-318) and have no refund yet"),
		set(m(10), "labels", labels("billing", "returns"), "assignee", "sub:carol"),
		reply(m(5), "Hi Sofia, it arrived in our warehouse yesterday. The refund is made today and takes two working days."),
		says(20*hours, "Still nothing?"),
	}},
	{ago: 22 * hours, name: "noah", person: person(16, "Noah", "Weber", "noahw", "de"), steps: []step{
		says(0, "Guten Tag, darf man die kleinen Motoren in Deutschland ohne Schein zünden?"),
		reply(m(16), "Guten Tag, bis 20 g Treibsatz ja, ab 18 Jahren. Die A- bis C-Motoren liegen alle darunter."),
		says(m(3), "Danke, und im Garten?"),
		reply(m(4), "Wenn ringsum 30 m frei sind. Besser ist eine Wiese außerhalb."), says(m(2), "Alles klar 👌"), resolved(m(12)),
	}},
	{ago: 9 * hours, name: "grace", person: person(17, "Grace", "Okafor", "graceok", "en"), steps: []step{
		says(0, "Good morning, the discount code SPACE10 is not accepted"),
		says(m(2), "It says: expired. But your newsletter says until Sunday"),
		set(m(6), "assignee", "sub:bob", "labels", labels("sales")),
		note(m(4), "The shop has it until Saturday 24:00 UTC, the newsletter says Sunday. Asked marketing to prolong it."),
		reply(m(2), "You are right, our mistake. It is valid until Sunday again, please try once more."),
		says(m(25), "Works, thank you!"),
	}},
	{ago: 6*hours + m(20), name: "lukas", person: person(18, "Lukas", "Meier", "lmeier", "de"), steps: []step{
		says(0, "Hallo, in meinem Paket fehlt die Startrampe. Bestellung 20755"),
		set(m(4), "priority", "high", "labels", labels("shipping", "order"), "assignee", "sub:alice"),
		reply(m(5), "Hallo Lukas, das tut mir leid. Sie geht heute noch raus, Expressversand auf unsere Kosten."),
		says(m(3), "Super, danke. Der Start ist am Samstag 😬"),
		reply(m(2), "Freitag ist sie da. <b>Sendungsnummer:</b> <code>AC-5540-2231</code>"), says(m(4), "Perfekt 🙏"),
	}},
	{ago: 4 * hours, name: "mei", person: person(19, "Mei", "Chen", "meichen", "zh"), steps: []step{
		says(0, "你好，请问可以开公司发票吗？"),
		set(m(8), "labels", labels("billing")), note(m(1), "Company invoice. The form is under Account > Billing, in English only."),
		reply(m(2), "您好，可以。请在 Account → Billing 里填写公司名称和税号，发票会自动更新。"),
	}},
	{ago: 2*hours + m(35), name: "samuel", person: person(20, "Samuel", "Adeyemi", "samade", "en"), steps: []step{
		says(0, "App crashes when I open the launch log on Android 15"),
		says(m(1), "Pixel 9, app version 4.2.1"),
		set(m(7), "labels", labels("app", "bug"), "assignee", "sub:carol"),
		note(m(2), "Same as acme/rockets#131, fixed in 4.2.2, which is in review at the store."),
		reply(m(1), "Thanks for the details, Samuel. It is fixed in 4.2.2, which comes to the store within a day or two."),
	}},
	{ago: m(95), name: "elena", person: person(21, "Elena", "Popescu", "elenap", "ro"), steps: []step{
		says(0, "Hello, is the workshop on the 21st fully booked? I'd like to come with two kids (8 and 11)"),
		set(m(5), "labels", labels("events")),
	}},
	{ago: m(48), name: "kofi", person: person(22, "Kofi", "Mensah", "kofim", "en"), steps: []step{
		says(0, "Tracking has said \"out for delivery\" since yesterday morning. Order 20769"),
		set(m(3), "assignee", "sub:alice", "labels", labels("shipping")),
		reply(m(6), "Hi Kofi, I have asked the depot. I'll write as soon as I know more."),
		says(m(11), "ok thank you"),
	}},
	{ago: m(22), name: "hannah", person: person(23, "Hannah", "Schmidt", "hannahs", "de"), steps: []step{
		says(0, "Hi, can I pay by invoice as a club? We are 40 members and order twice a year"),
		says(m(1), "Registered association, I can send the papers"),
	}},
	{ago: m(9), name: "diego", person: person(24, "Diego", "Fernández", "diegof", "es"), steps: []step{
		says(0, "URGENT: the launch controller gets hot when it is armed. Should I unplug it??"),
		set(m(1), "priority", "urgent", "labels", labels("safety", "product")),
	}},
}

// thanks are what people say who were answered.
var thanks = []string{
	"Thank you, that helps a lot!",
	"Great, thanks for the quick answer 🙏",
	"Ah, I see. I will try that this evening.",
	"Perfect 👍",
	"Thanks! One more thing: do I have to register for that?",
	"That was fast. Have a nice day!",
}
