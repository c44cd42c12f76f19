namespace Breakwater.Proxy.Guessing;

/// <summary>A language whose programs read modules by name when they start.</summary>
internal enum ModuleLanguage : byte
{
    /// <summary>Python 3.</summary>
    Python,

    /// <summary>Perl 5.</summary>
    Perl,
}
