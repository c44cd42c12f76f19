using System.Collections.Frozen;
using System.Globalization;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// Finds the files of modules: from the directory of the one that names them upwards, as far as modules are found, and in the directories
/// where others were. One thread at a time.
/// </summary>
internal sealed class ModuleSearch(GuessCatalogs catalogs)
{
    private const int MaxLevels = 4;
    private const int MaxRoots = 16;
    private const string CompiledDirectory = "__pycache__";
    private const string Libraries = "lib-dynload";

    /// <summary>
    /// Modules in the interpreter itself, from 3.11 on: it reads no file for them. Source: CPython's <c>Python/frozen.c</c>.
    /// </summary>
    private static readonly FrozenSet<string> s_frozen = FrozenSet.ToFrozenSet(
    [
        "_collections_abc", "_sitebuiltins", "abc", "codecs", "genericpath", "importlib/_bootstrap", "importlib/_bootstrap_external",
        "importlib/machinery", "importlib/util", "io", "ntpath", "os", "posixpath", "runpy", "site", "stat", "zipimport",
    ]);

    private static readonly string[] s_machines = ["x86_64-linux-gnu", "aarch64-linux-gnu"];

    private readonly Dictionary<ModuleLanguage, List<string>> _roots = []; // directories where modules were found
    private string? _tag;                                                  // of Python's compiled files, as it was seen last

    /// <summary>The files that a module or script reads next, as paths in the tree.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="system">The root of the system that it belongs to.</param>
    /// <param name="needs">What it names.</param>
    public IEnumerable<string> Find(string path, string system, ModuleNeeds needs)
    {
        _tag = needs.Tag ?? _tag;
        foreach (string root in needs.Roots)
        {
            Remember(needs.Language, root);
        }

        List<string> above = [];
        string at = path;
        while (above.Count < MaxLevels && at.LastIndexOf('/') is > 0 and var end)
        {
            at = at[..end];
            if (!at.EndsWith(CompiledDirectory, StringComparison.Ordinal))
            {
                above.Add(at);
            }
        }

        // Perl's directories have modules of the same names, and an order; of Python's two environments may have the same module.
        string[] roots = [.. RootsOf(needs.Language).OrderByDescending(root => needs.Language == ModuleLanguage.Perl
            ? root.StartsWith($"{system}/", StringComparison.Ordinal) ? 1 : 0
            : path.AsSpan().CommonPrefixLength(root))];
        foreach (string name in needs.Names)
        {
            string read = IsFrozen(needs.Language, name) ? name[..Math.Max(0, name.LastIndexOf('/'))] : name; // its package is a file
            foreach (string file in read.Length == 0 ? [] : FindOne(read, needs.Language, roots, above))
            {
                yield return file;
            }
        }
    }

    private bool IsFrozen(ModuleLanguage language, string name) =>
        language == ModuleLanguage.Python && s_frozen.Contains(name) && _tag is not null
        && int.TryParse(_tag.AsSpan(_tag.IndexOf('-') + 1), CultureInfo.InvariantCulture, out int version) && version >= 311;

    /// <summary>
    /// The file of a module, after those of the packages that it is in. A name that Python finds beside the module may be meant so or not:
    /// both are read.
    /// </summary>
    private List<string> FindOne(string name, ModuleLanguage language, string[] roots, List<string> above)
    {
        List<string> files = [];
        foreach (string root in roots.Concat(above).TakeWhile(_ => catalogs.MayLookUp))
        {
            int before = files.Count;
            if (language == ModuleLanguage.Python)
            {
                for (int end = name.IndexOf('/'); end > 0; end = name.IndexOf('/', end + 1))
                {
                    AddIfThere(files, PythonFile(root, name[..end]));
                }
            }

            if (AddIfThere(files, language == ModuleLanguage.Python ? PythonFile(root, name) : PerlFile(root, name)))
            {
                if (language == ModuleLanguage.Perl || !catalogs.NamesIn(root).Contains("__init__.py"))
                {
                    Remember(language, root);
                }

                break;
            }

            files.RemoveRange(before, files.Count - before);
        }

        if (language == ModuleLanguage.Python && above.Count > 0 && PythonFile(above[0], name) is { } beside && !files.Contains(beside))
        {
            files.Add(beside);
        }

        return files;
    }

    private static bool AddIfThere(List<string> files, string? file)
    {
        if (file is not null)
        {
            files.Add(file);
        }

        return file is not null;
    }

    /// <summary>Compiled before the source, as Python reads them.</summary>
    private string? PythonFile(string root, string name)
    {
        string directory = DirectoryOf(root, name);
        string module = Path.GetFileName(name);
        IReadOnlySet<string> names = catalogs.NamesIn(directory);
        if (names.Contains(module) && InPackage($"{directory}/{module}") is { } package)
        {
            return package;
        }

        return Compiled(directory, names, module)
            ?? s_machines.Select(machine => $"{module}.{_tag}-{machine}.so").Append($"{module}.abi3.so").Append($"{module}.py")
                .Where(names.Contains).Select(file => $"{directory}/{file}").FirstOrDefault()
            ?? (names.Contains(Libraries) && !directory.EndsWith(Libraries, StringComparison.Ordinal)
                ? PythonFile($"{directory}/{Libraries}", module)
                : null);
    }

    private string? InPackage(string directory)
    {
        const string Init = "__init__";
        IReadOnlySet<string> names = catalogs.NamesIn(directory);
        return Compiled(directory, names, Init) ?? (names.Contains($"{Init}.py") ? $"{directory}/{Init}.py" : null);
    }

    private string? Compiled(string directory, IReadOnlySet<string> names, string module) =>
        _tag is not null && names.Contains(CompiledDirectory)
        && catalogs.NamesIn($"{directory}/{CompiledDirectory}").Contains($"{module}.{_tag}.pyc")
            ? $"{directory}/{CompiledDirectory}/{module}.{_tag}.pyc"
            : null;

    private string? PerlFile(string root, string name)
    {
        string directory = DirectoryOf(root, name);
        string module = Path.GetFileName(name);
        IReadOnlySet<string> names = catalogs.NamesIn(directory);
        return new[] { $"{module}.pm", $"{module}.so" }.Where(names.Contains).Select(file => $"{directory}/{file}").FirstOrDefault();
    }

    private static string DirectoryOf(string root, string name) =>
        name.LastIndexOf('/') is >= 0 and var slash ? $"{root}/{name[..slash]}" : root;

    private List<string> RootsOf(ModuleLanguage language) => _roots.GetValueOrDefault(language) ?? [];

    /// <summary>Keeps the newest.</summary>
    private void Remember(ModuleLanguage language, string root)
    {
        List<string> roots = RootsOf(language);
        if (!roots.Contains(root))
        {
            _roots[language] = [.. roots.Skip(roots.Count + 1 - MaxRoots), root];
        }
    }
}
