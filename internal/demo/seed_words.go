package demo

// topic is what a post and the comments on it are about: things are noun phrases, acts are gerunds, places go with
// either.
type topic struct{ things, acts, places []string }

var topics = [...]topic{
	{
		things: []string{"the sourdough starter", "a rye loaf", "the old oven", "a tray of cardamom buns", "my grandmother's flatbread"},
		acts:   []string{"kneading by hand", "proving dough overnight", "baking before sunrise", "milling my own flour"},
		places: []string{"in a kitchen of four square metres", "at the village bakery", "at the Saturday market"},
	},
	{
		things: []string{"a steel frame from 1984", "the squeaking chain", "a pair of wide tyres", "the dynamo light", "a loaded pannier"},
		acts:   []string{"cycling to work", "truing wheels", "riding through the rain", "touring without a plan"},
		places: []string{"along the canal", "over the pass", "in the repair café"},
	},
	{
		things: []string{"the tomato bed", "a stubborn fig tree", "the compost heap", "a row of beans", "the first asparagus"},
		acts:   []string{"sowing too early", "saving seeds", "pruning in frost", "watering at dusk"},
		places: []string{"on the balcony", "in the allotment", "behind the greenhouse"},
	},
	{
		things: []string{"a small telescope", "the Orion nebula", "a meteor shower", "the rings of Saturn", "a hand-drawn star map"},
		acts:   []string{"watching the night sky", "hunting comets", "grinding a mirror", "waiting for the clouds to part"},
		places: []string{"on the flat roof", "far from the city lights", "at the observatory's open evening"},
	},
	{
		things: []string{"a second-hand atlas", "the last chapter", "an unreliable narrator", "a book of letters", "the reading list"},
		acts:   []string{"reading aloud", "rereading the classics", "annotating in pencil", "abandoning books halfway"},
		places: []string{"in the branch library", "on the night train", "at our book circle"},
	},
	{
		things: []string{"the alto line", "an out-of-tune piano", "a four-part canon", "the spring concert", "a borrowed cello"},
		acts:   []string{"singing in a choir", "practising scales", "learning by ear", "tuning by beats"},
		places: []string{"in the school gym", "under the railway arch", "at the back of the church"},
	},
	{
		things: []string{"the ridge path", "a wet tent", "a broken boot lace", "the hut's soup", "a map from 1962"},
		acts:   []string{"walking without a phone", "packing light", "crossing snow in June", "sleeping above the clouds"},
		places: []string{"in the high valley", "on the coast trail", "near the old border"},
	},
	{
		things: []string{"a pair of kingfishers", "the heron by the weir", "a cheap pair of binoculars", "the swifts", "an owl's pellet"},
		acts:   []string{"counting birds", "keeping a field notebook", "listening before dawn", "putting up nest boxes"},
		places: []string{"at the reservoir", "in the hedge behind the station", "on the salt marsh"},
	},
	{
		things: []string{"a lopsided bowl", "the celadon glaze", "a cracked kiln shelf", "the first teapot", "a bag of stoneware clay"},
		acts:   []string{"throwing on the wheel", "trimming feet", "mixing glazes", "firing with wood"},
		places: []string{"in the shared studio", "at the evening class", "in the garage"},
	},
	{
		things: []string{"a race condition", "the slowest query", "an honest error message", "the old build script", "a flaky test"},
		acts:   []string{"reading other people's code", "deleting features", "writing the test first", "profiling before guessing"},
		places: []string{"in production", "on a Friday afternoon", "during the code review"},
	},
	{
		things: []string{"a roll of expired film", "the light at five o'clock", "a borrowed rangefinder", "the contact sheet", "a crooked horizon"},
		acts:   []string{"printing in the darkroom", "waiting for one good frame", "photographing strangers", "walking with one lens"},
		places: []string{"in the harbour", "at the fish market", "on the tram"},
	},
	{
		things: []string{"the offside trap", "a muddy pitch", "our new goalkeeper", "the away kit", "a late equaliser"},
		acts:   []string{"coaching the under-tens", "refereeing friends", "taking penalties", "travelling to away games"},
		places: []string{"on the gravel pitch", "in the third division", "at the corner flag"},
	},
	{
		things: []string{"a tin of smoked tea", "the clay pot", "a second infusion", "mint from the window sill", "the chipped cup"},
		acts:   []string{"brewing by smell", "roasting barley", "pouring from a height", "waiting three minutes"},
		places: []string{"at four in the afternoon", "in the courtyard", "on the ferry"},
	},
	{
		things: []string{"the cold river", "a tide table", "a torn wetsuit", "the lido in winter", "a flask of ginger soup"},
		acts:   []string{"swimming outdoors", "diving for mussels", "learning to float", "counting strokes"},
		places: []string{"below the old mill", "in the bay", "at first light"},
	},
}

var titleForms = [...]string{
	"Notes on {a}", "What {t} taught me", "In praise of {t}", "A week of {a}", "Why I keep {a}", "{T}, and other small joys",
	"Three mistakes with {t}", "{A} {p}", "Letter to someone new to {a}", "Slow progress with {t}", "A question about {t}", "Back to {a}",
}

var postForms = [...]string{
	"I spent {w} {a} {p}, and it was {j} than I expected.",
	"{T} is {j} than people say.",
	"A neighbour showed me a better way of {a}, and now I cannot go back.",
	"Nobody told me how much patience {t} would ask for.",
	"If you are new to {a}, start small and write everything down.",
	"{W} I met three people who care about {t} as much as I do.",
	"The trick with {t} is to do less.",
	"It went wrong twice {p} before it went right.",
	"What I like most about {a} is that it cannot be hurried.",
	"My brother thinks {t} is a waste of time; he is welcome to try it.",
	"There is a kind of quiet in {a} that I find nowhere else.",
	"I had planned {w} for this, and needed three times as long.",
	"Next I want to try {a} {p}.",
	"Does anyone here have experience with {t}?",
	"I keep coming back to {t}, perhaps because it never turns out the same.",
	"By the end my hands were cold and I was happy.",
}

var commentForms = [...]string{
	"I had the same trouble with {t}.", "How long did {a} take you to learn?", "Thank you, this is the nudge I needed.",
	"Lovely. I would only add that {t} needs patience.", "We tried {a} {p} once and never looked back.",
	"I disagree about {t}, but I enjoyed reading this.", "Could you say more about {a}?", "This made my morning.",
	"My father used to say the same about {t}.", "{W} well spent, by the sound of it.", "Have you tried it {p}?",
	"{A} is {j} than it looks!", "Saving this for later.", "You are right, and I wish I had known it sooner.",
	"Where did you find {t}?", "I laughed out loud at the last line.", "Not sure I follow. Do you mean {a} in general?",
	"Same here, only {p}.", "Please post a picture of {t}.", "This is the best thing I have read about {a} in a while.",
}

var replyForms = [...]string{
	"Good point.", "I was wondering about that too.", "Exactly, and the same goes for {t}.", "That has not been my experience {p}.",
	"Thanks for the answer!", "Try {a} first, then decide.", "Ha, yes.", "Let us know how it goes.", "It depends on {t}, I think.",
	"I would not have thought of that.", "Agreed, though {a} takes practice.", "Which one do you use?", "See you {p}?",
	"I stand corrected.", "That is a fair question.", "It took me {w}, if that helps.",
}

var (
	spans      = [...]string{"a whole weekend", "an hour", "most of the winter", "two evenings", "a rainy afternoon", "the summer", "ten minutes", "half a day"}
	judgements = [...]string{"harder", "kinder", "louder", "simpler", "stranger", "more forgiving", "better", "messier", "slower"}
	trades     = [...]string{"Carpenter", "Nurse", "Teacher", "Cartographer", "Bus driver", "Translator", "Programmer", "Retired engineer", "Student of law",
		"Baker", "Midwife", "Sound technician", "Postwoman", "Biologist", "Violin maker", "Accountant by day"}
	cities = [...]string{"Porto", "Dakar", "Gdańsk", "Kyoto", "Valparaíso", "Leeds", "Izmir", "Hanoi", "Montréal", "Accra", "Tbilisi", "Pune", "Bergen",
		"Oaxaca", "Rotterdam", "Beirut", "Wellington", "Nairobi", "Lviv", "Busan"}
)

// culture is a place in the world with its names.
type culture struct{ given, family []string }

var cultures = [...]culture{
	{[]string{"Amina", "Ousmane", "Fatou", "Mamadou", "Awa", "Ibrahima", "Khady"}, []string{"Diallo", "Ndiaye", "Sow", "Diop", "Ba", "Faye"}},
	{[]string{"Zofia", "Jan", "Agnieszka", "Tomasz", "Hanna", "Paweł", "Kinga"}, []string{"Kowalska", "Nowak", "Wiśniewska", "Lewandowski", "Zając"}},
	{[]string{"Haruto", "Yui", "Sota", "Aoi", "Ren", "Hina", "Kaito"}, []string{"Tanaka", "Sato", "Kobayashi", "Ito", "Yamamoto", "Mori"}},
	{[]string{"Valentina", "Mateo", "Camila", "Joaquín", "Ximena", "Emilio", "Lucía"}, []string{"Rojas", "Fuentes", "Muñoz", "Herrera", "Castillo", "Vega"}},
	{[]string{"Priya", "Arjun", "Kavya", "Rohan", "Meera", "Vikram", "Ananya"}, []string{"Sharma", "Iyer", "Patel", "Reddy", "Banerjee", "Nair"}},
	{[]string{"Elif", "Mert", "Zeynep", "Emre", "Defne", "Can", "Ayşe"}, []string{"Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Aydın"}},
	{[]string{"Huong", "Linh", "Minh", "Thu", "Duc", "Mai", "Khanh"}, []string{"Nguyen", "Tran", "Pham", "Le", "Hoang", "Vu", "Dang"}},
	{[]string{"Freya", "Lars", "Ingrid", "Sindre", "Astrid", "Håkon", "Solveig"}, []string{"Hansen", "Lund", "Berg", "Solberg", "Dahl", "Nygård"}},
	{[]string{"Kwame", "Akosua", "Kofi", "Ama", "Yaw", "Efua", "Kojo"}, []string{"Mensah", "Owusu", "Boateng", "Asante", "Agyeman"}},
	{[]string{"Nino", "Giorgi", "Tamar", "Luka", "Ketevan", "Davit", "Salome"}, []string{"Beridze", "Kapanadze", "Lomidze", "Gelashvili", "Maisuradze"}},
	{[]string{"Aroha", "Wiremu", "Mere", "Tama", "Anahera", "Rangi", "Hine"}, []string{"Parata", "Ngata", "Henare", "Walker", "Tamihana"}},
	{[]string{"Layla", "Omar", "Nour", "Karim", "Yasmin", "Tarek", "Salma"}, []string{"Haddad", "Khoury", "Mansour", "Nasser", "Saleh", "Farah"}},
	{[]string{"Oksana", "Taras", "Olena", "Andriy", "Daryna", "Mykola", "Sofiya"}, []string{"Shevchenko", "Kovalenko", "Bondar", "Tkachenko", "Melnyk"}},
	{[]string{"Siobhán", "Alice", "Rhys", "Megan", "Owen", "Isla", "Callum"}, []string{"Murphy", "Hughes", "Campbell", "Walsh", "Davies", "Reid"}},
	{[]string{"Min-jun", "Seo-yeon", "Ji-ho", "Ha-eun", "Do-yun", "Su-bin"}, []string{"Kim", "Park", "Choi", "Jung", "Kang", "Yoon"}},
	{[]string{"Marieke", "Zoë", "Daan", "Jürgen", "Chloé", "Benoît", "Anneke"}, []string{"de Vries", "Bakker", "Müller", "Lefèvre", "Peeters", "Janssen"}},
}

// plainLetters writes the letters of the names above as handles can have them.
var plainLetters = [...]string{
	"ł", "l", "ś", "s", "ą", "a", "ń", "n", "í", "i", "ú", "u", "ñ", "n", "ı", "i", "ş", "s", "ç", "c", "å", "a",
	"á", "a", "é", "e", "è", "e", "ë", "e", "ü", "u", "î", "i", " ", "_", "-", "_",
}
