namespace Breakwater.Proxy.Guessing;

/// <summary>Why an object is expected to be asked for soon.</summary>
internal enum GuessRule : byte
{
    /// <summary>Two files of its directory were read, and the directory is small.</summary>
    Neighbour,

    /// <summary>It is a catalog nested in one that was read.</summary>
    NestedCatalog,

    /// <summary>It follows a chunk that was read.</summary>
    NextChunk,

    /// <summary>A program that was read names it: its loader, a shared library, or the interpreter of a script.</summary>
    Program,

    /// <summary>A module or script of Python or Perl that was read names it.</summary>
    Module,

    /// <summary>A shell's script that was read calls it.</summary>
    Command,
}
