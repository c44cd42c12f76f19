namespace Breakwater.Proxy.Settings;

/// <summary>One pin in section <c>Pins</c>; the key is its name. What the snapshot has at these paths is kept from eviction.</summary>
internal sealed class PinOptions
{
    /// <summary>Full name of the repository, which must be in <c>Repositories</c>.</summary>
    public string? Repository { get; set; }

    /// <summary>The tag of the snapshot, such as <c>v1</c>. Null, the default: the newest revision, and each that follows it.</summary>
    public string? Tag { get; set; }

    /// <summary>Paths and globs, such as <c>/bin/sh</c>, <c>/lib/**</c>. Empty only with <see cref="All"/>.</summary>
    public string[] Paths { get; set; } = [];

    /// <summary>Everything in the snapshot, in place of <see cref="Paths"/>. Default false.</summary>
    public bool All { get; set; }
}
