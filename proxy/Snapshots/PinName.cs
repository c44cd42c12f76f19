using System.Diagnostics.CodeAnalysis;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Snapshots;

/// <summary>The name of a set of pinned objects. The store keeps its text; here it is built and taken apart.</summary>
/// <param name="Text">As the store has it, and as operators see it.</param>
internal readonly record struct PinName(string Text)
{
    /// <summary>Longest name that people or publishers give.</summary>
    public const int MaxGivenChars = 100;

    private const string Standing = "workingset";
    private const string Warm = "warm";
    private const string Declared = "declared";
    private const string Seed = "seed:";

    /// <summary>May a set have this name? It stands between slashes in the pin's.</summary>
    public static bool IsGiven(string name) => name.Length <= MaxGivenChars && !name.Any(c => char.IsControl(c) || c == '/');

    /// <summary>What the names of a repository's standing sets begin with. The rest orders them by age.</summary>
    public static string StandingPrefix(Fqrn fqrn) => $"{Standing}/{fqrn}/";

    /// <summary>The objects that boots of one revision need, kept by themselves.</summary>
    /// <param name="fqrn">The repository.</param>
    /// <param name="order">Orders the sets of one repository by the age of their manifests.</param>
    public static PinName OfStandingSet(Fqrn fqrn, string order) => new(StandingPrefix(fqrn) + order);

    /// <summary>The objects that a <c>warm</c> command has named.</summary>
    public static PinName OfWarmSet(Fqrn fqrn, string name) => new($"{Warm}/{fqrn}/{name}");

    /// <summary>The objects of a pin in the settings. No command makes or removes such a set.</summary>
    public static PinName OfDeclaredSet(Fqrn fqrn, string name) => new($"{Declared}/{fqrn}/{name}");

    /// <summary>Is it one of the settings?</summary>
    public bool IsDeclared => Text.StartsWith(Declared + "/", StringComparison.Ordinal);

    /// <summary>Which pins an operator means: the one of that full name, else those that a command has given that name.</summary>
    /// <param name="text">What was typed: <c>warm/lab.example.org/login</c>, or <c>login</c>.</param>
    /// <param name="all">Full names of all pins.</param>
    public static string[] Meant(string text, IReadOnlyList<string> all) => all.Contains(text, StringComparer.Ordinal)
        ? [text]
        : [.. all.Where(pin => pin.Split('/', 3) is [Warm, _, var given] && given == text).Order(StringComparer.Ordinal)];

    /// <summary>The objects of a seed bundle.</summary>
    public static PinName OfSeed(string name) => new(Seed + name);

    /// <summary>The repository of a standing, warm or declared set. False: the set is another's.</summary>
    public bool TryGetRepository(out Fqrn fqrn)
    {
        fqrn = default;
        return Text.Split('/') is [Standing or Warm or Declared, var name, _] && Fqrn.TryParse(name, out fqrn);
    }

    /// <summary>The name of the seed bundle. False: the set is another's.</summary>
    public bool TryGetSeed([NotNullWhen(true)] out string? seed)
    {
        seed = Text.StartsWith(Seed, StringComparison.Ordinal) ? Text[Seed.Length..] : null;
        return seed is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
