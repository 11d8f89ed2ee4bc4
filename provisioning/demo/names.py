"""Word lists of the demonstration agency. Owns: invented names. Must never see: a real person's record."""

GIVEN = (
    "Aaron Adela Alicia Amara Andre Anita Aron Beatriz Ben Bianca Brandon Brooke Caleb Camila Carlos Carmen Cedric Celia "
    "Chloe Claire Colin Connor Dana Daniel Darius Deborah Derek Diana Dominic Edith Eduardo Elena Eli Elise Emma Enrique "
    "Erin Esteban Ethan Eva Felix Fiona Frank Gabriela Gavin Gloria Grace Grant Hannah Hector Helen Ian Imani Irene Isaac "
    "Ivan Jada Janet Jasmine Javier Jenna Joel Jonah Jordan Josie Julian Kara Keith Kendra Kiara Kyle Lamar Laura Leah "
    "Leo Liam Lidia Logan Lucia Luis Lydia Malik Marcus Maria Marisol Martin Maya Megan Miles Miriam Nadia Naomi Nathan "
    "Nina Noah Nora Omar Oscar Paige Patrick Paula Quinn Rachel Rafael Renee Ricardo Rosa Ruben Ruth Ryan Sabrina Samuel "
    "Sandra Sergio Simone Sofia Stephen Tamara Tanya Theo Tomas Trevor Valeria Vera Victor Violet Wesley Yolanda Zachary"
).split()

FAMILY = (
    "Abbott Acosta Adler Alvarado Amador Ansel Arroyo Ashby Barlow Barrera Becker Bellamy Benitez Birch Blevins Bowden "
    "Brandt Briggs Cabrera Calder Camacho Carrow Castro Chan Cisneros Colby Conley Cordero Coyle Crane Dalton Delgado "
    "Dempsey Drake Duarte Easton Elwood Espinoza Everett Fairley Farrow Figueroa Flores Foley Fontaine Fraser Galindo "
    "Garner Gentry Gibbs Glover Gomez Granger Guerra Haley Harlan Hart Hawley Herrera Hobbs Holt Horne Ibarra Ingram "
    "Jarvis Jensen Juarez Kane Keller Kemp Kim Kirby Lam Landry Lara Lawson Leland Lowe Lozano Lyons Macias Madden "
    "Marlow Mata McCabe Medina Mercer Meza Mills Molina Moody Navarro Nolan Norris Ochoa Odell Olsen Ortega Osborne "
    "Pace Padilla Parrish Patel Pena Pike Pollard Quiroz Ramsey Rangel Reyes Rhodes Rivas Rojas Rowe Salas Sawyer Serrano "
    "Shaw Sloan Solis Stone Sutter Tam Tate Terrell Tovar Trujillo Tucker Underhill Valdez Vance Vega Vu Wade Walsh Webb "
    "Whitaker Wilder Wong Yates Yoon York Zamora Zepeda"
).split()

WORDS = (
    "amber anchor aspen atlas basin beacon birch bramble canyon cedar cinder cobalt copper coral cove crater delta ember "
    "falcon fern fjord flint garnet glacier granite grove harbor hazel heron indigo iron ivory jasper juniper kelp lagoon "
    "lantern larch linden marble meadow mesa mica moss nectar nickel oak onyx opal orchard osprey otter pebble pine plover "
    "prairie quartz quill raven reef ridge river saddle sage sierra slate spruce summit tidal timber topaz tundra velvet "
    "walnut willow zephyr"
).split()
