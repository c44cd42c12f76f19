namespace Breakwater.Proxy.Guessing;

/// <summary>What the guesses of one session came to.</summary>
/// <param name="Demanded">Different objects that clients asked for.</param>
/// <param name="Guessed">Objects guessed.</param>
/// <param name="Asked">Of them, those that were asked for.</param>
/// <param name="BytesInVain">Content bytes of those that were fetched and not asked for.</param>
internal readonly record struct GuessSums(int Demanded, int Guessed, int Asked, long BytesInVain);
