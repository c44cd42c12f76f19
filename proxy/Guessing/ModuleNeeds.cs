using System.Text;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// The modules that a module or a script names, and that its interpreter reads before it goes on: Python's imports outside of functions
/// where it is compiled, where lines begin in a source, and Perl's <c>use</c>. The content is the publisher's and untrusted: what is
/// malformed needs nothing. Pure.
/// </summary>
/// <param name="Language">Whose modules.</param>
/// <param name="Names">Files below a directory of modules, without their ends: <c>os</c>, <c>xml/dom</c>, <c>auto/POSIX/POSIX</c>.</param>
/// <param name="Roots">Directories of modules that the file tells of, as paths in the tree.</param>
/// <param name="Tag">Python's tag of compiled files, <c>cpython-311</c>; null: not known.</param>
internal sealed record ModuleNeeds(ModuleLanguage Language, IReadOnlyList<string> Names, IReadOnlyList<string> Roots, string? Tag)
{
    /// <summary>Names read of one file: a compiled module names what it defines as well.</summary>
    internal const int MaxNames = 512;

    private const int MaxSourceBytes = 256 << 10;
    private const string Compiled = ".pyc", Python = ".py", Perl = ".pm";

    private static readonly string[] s_ends = [Compiled, Python, Perl];

    /// <summary>What every Python reads first, beside what these import: their names are in no file.</summary>
    private static readonly string[] s_startOfPython =
        ["encodings", "encodings/aliases", "codecs", "encodings/utf_8", "io", "abc", "site", "os", "stat", "sitecustomize"];

    /// <summary>Is a file a module by its name?</summary>
    public static bool MayBe(string path) => Array.Exists(s_ends, end => path.EndsWith(end, StringComparison.Ordinal));

    /// <summary>The text of a source or script, as far as it is read.</summary>
    /// <param name="content">The file, or its beginning.</param>
    public static string SourceOf(ReadOnlySpan<byte> content) =>
        Encoding.UTF8.GetString(content[..Math.Min(content.Length, MaxSourceBytes)]);

    /// <summary>Reads a file. Null: no module of these languages, or it names none.</summary>
    /// <param name="content">The file, or its beginning.</param>
    /// <param name="path">Where it is in the tree.</param>
    /// <param name="interpreter">Path or name of the interpreter that its first line names; null: it has none.</param>
    public static ModuleNeeds? Read(ReadOnlySpan<byte> content, string path, string? interpreter)
    {
        string name = Path.GetFileName(path);
        string? by = Path.GetFileName(interpreter);
        if (name.EndsWith(Compiled, StringComparison.Ordinal))
        {
            string[] parts = name.Split('.');
            return Of(ModuleLanguage.Python, PythonBytecode.Names(content), [], parts.Length == 3 ? parts[1] : null);
        }

        if (name.EndsWith(Python, StringComparison.Ordinal) || by?.StartsWith("python", StringComparison.Ordinal) == true)
        {
            return Of(ModuleLanguage.Python, ModuleSource.PythonImports(SourceOf(content)), [], null);
        }

        return name.EndsWith(Perl, StringComparison.Ordinal) || by?.StartsWith("perl", StringComparison.Ordinal) == true
            ? ReadPerl(SourceOf(content), path)
            : null;
    }

    /// <summary>What an interpreter reads when it starts; null: the program is no interpreter that is known.</summary>
    /// <param name="program">Its path in the tree: <c>/usr/bin/python3.11</c>.</param>
    public static ModuleNeeds? OfInterpreter(string program)
    {
        const string Version3 = "python3.";
        string name = Path.GetFileName(program);
        int up = program.LastIndexOf('/', Math.Max(0, program.Length - name.Length - 2));
        return up >= 0 && name.Length is > 8 and < 12 && name.StartsWith(Version3, StringComparison.Ordinal)
            && name.AsSpan(Version3.Length).IndexOfAnyExceptInRange('0', '9') < 0
            ? new ModuleNeeds(ModuleLanguage.Python, s_startOfPython,
                [$"{program[..up]}/lib/{name}", $"{program[..up]}/lib/python3/dist-packages", $"{program[..up]}/lib/{name}/site-packages"],
                $"cpython-3{name[Version3.Length..]}")
            : null;
    }

    private static ModuleNeeds? ReadPerl(string source, string path)
    {
        List<string> names = ModuleSource.PerlUses(source, out string? package);
        string own = $"/{package}.pm";
        return Of(ModuleLanguage.Perl, names, path.EndsWith(own, StringComparison.Ordinal) ? [path[..^own.Length]] : [], null);
    }

    private static ModuleNeeds? Of(ModuleLanguage language, List<string> names, IReadOnlyList<string> roots, string? tag) =>
        names.Count + roots.Count == 0 ? null : new ModuleNeeds(language, names, roots, tag);
}
