using System.Buffers;

namespace Breakwater.Proxy.Guessing;

/// <summary>Reads in the text of a module or script which modules it names. Pure; what it takes grows with the text alone.</summary>
internal static class ModuleSource
{
    private const int MaxNameChars = 200;

    private static readonly SearchValues<char> s_ofNames =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:");

    /// <summary>Modules imported where lines begin, as <c>xml/dom</c>, and what is imported from them, which may be modules.</summary>
    public static List<string> PythonImports(string source)
    {
        List<string> names = [];
        foreach (ReadOnlySpan<char> line in source.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> rest = line;
            if (TryTake(ref rest, "import"))
            {
                AddAll(names, "", rest);
            }
            else if (TryTake(ref rest, "from"))
            {
                rest = rest.TrimStart('.').TrimStart();
                ReadOnlySpan<char> package = rest.StartsWith("import ") ? [] : Word(rest);
                Add(names, package, ".");
                rest = rest[package.Length..].TrimStart();
                if (TryTake(ref rest, "import"))
                {
                    AddAll(names, package.IsEmpty ? "" : $"{package}.", rest.TrimStart('('));
                }
            }
        }

        return names;
    }

    /// <summary>
    /// Modules that are used, as <c>File/Find</c>, wherever that is written: Perl does it before all else. The library of a package that
    /// is not all Perl is one of them: <c>auto/POSIX/POSIX</c>.
    /// </summary>
    /// <param name="source">The text.</param>
    /// <param name="package">The first package that it declares, as a path; null: none.</param>
    public static List<string> PerlUses(string source, out string? package)
    {
        List<string> names = [];
        package = null;
        bool isManual = false;
        foreach (ReadOnlySpan<char> line in source.AsSpan().EnumerateLines())
        {
            if (line is "__END__" or "__DATA__")
            {
                break;
            }

            isManual = line.StartsWith("=") ? !line.StartsWith("=cut") : isManual;
            if (isManual)
            {
                continue;
            }

            ReadOnlySpan<char> used = line.TrimStart();
            ReadOnlySpan<char> here = line;
            if (TryTake(ref used, "use"))
            {
                Add(names, Word(used), "::");
            }
            else if (TryTake(ref here, "require"))
            {
                Add(names, Word(here), "::");
            }
            else if (TryTake(ref here, "package") && package is null && Word(here) is { IsEmpty: false, Length: <= MaxNameChars } declared)
            {
                package = declared.ToString().Replace("::", "/", StringComparison.Ordinal);
            }
            else if (package is not null && (line.IndexOf("XSLoader::load") >= 0 || used.StartsWith("bootstrap ")))
            {
                Add(names, $"auto/{package}/{Path.GetFileName(package)}", "::");
            }
        }

        return names;
    }

    /// <summary>Names of a list with commas: <c>a, b.c as d</c>.</summary>
    private static void AddAll(List<string> names, string package, ReadOnlySpan<char> list)
    {
        foreach (Range part in list.Split(','))
        {
            if (Word(list[part].Trim()) is { IsEmpty: false } name)
            {
                Add(names, $"{package}{name}", ".");
            }
        }
    }

    private static void Add(List<string> names, ReadOnlySpan<char> name, string separator)
    {
        if (name.Length is > 0 and <= MaxNameChars && !char.IsAsciiDigit(name[0]) && names.Count < ProgramNeeds.MaxNames
            && name.ToString().Replace(separator, "/", StringComparison.Ordinal) is var path
            && !path.AsSpan().ContainsAny('.', ':') && Array.TrueForAll(path.Split('/'), part => part.Length > 0) && !names.Contains(path))
        {
            names.Add(path);
        }
    }

    /// <summary>Takes a word and the blanks behind it off the beginning, if it is there.</summary>
    private static bool TryTake(ref ReadOnlySpan<char> text, string word)
    {
        if (!text.StartsWith(word) || text.Length == word.Length || text[word.Length] is not (' ' or '\t'))
        {
            return false;
        }

        text = text[word.Length..].TrimStart();
        return true;
    }

    /// <summary>What a text begins with that may be a module's name.</summary>
    private static ReadOnlySpan<char> Word(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExcept(s_ofNames);
        return end < 0 ? text : text[..end];
    }
}
