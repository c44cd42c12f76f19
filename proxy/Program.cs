Console.WriteLine("breakwater");
