namespace Breakwater.Proxy.Seeding.Format;

/// <summary>The name of a seed: what operators type.</summary>
internal static class SeedName
{
    public const string Rule = "a seed's name has 1 to 100 letters, digits, '.', '-', '_' or '+', and begins with a letter or digit";

    /// <summary>Name of the seed that holds a repository published on this machine.</summary>
    public static string OfPublished(string fqrn) => "published-" + fqrn;

    /// <summary>Is it one?</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 100 && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+');
}
