using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// Finds where in the tree the files are that a program names, as the system whose root is above it would. One thread at a time.
/// </summary>
internal sealed class NeedsSearch(GuessCatalogs catalogs)
{
    private const int MaxHops = 16;
    private const int MaxPathChars = 4096;

    /// <summary>The loader reads it before any library.</summary>
    private const string LoaderCache = "/etc/ld.so.cache";

    private static readonly string[] s_commandDirectories = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];

    private readonly ModuleSearch _modules = new(catalogs);

    /// <summary>What a program needs, as far as it is known where it is.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="needs">What it names.</param>
    public List<Guess> Of(string program, ProgramNeeds needs)
    {
        catalogs.BeginProgram();
        string root = RootOf(program);
        List<Guess> guesses = [];
        foreach (string path in needs.Paths)
        {
            AddFile(root, path, GuessRule.Program, guesses);
        }

        AddCommands(root, needs.Commands, GuessRule.Program, guesses);
        if (needs.Libraries.Count > 0)
        {
            AddFile(root, LoaderCache, GuessRule.Program, guesses);
        }

        string[] directories = [.. needs.LibraryPaths.Select(path => Expand(path, root, program)), .. LibraryDirectories(needs.Triplet)];
        foreach (string library in needs.Libraries)
        {
            _ = directories.Any(directory => AddFile(root, $"{directory}/{library}", GuessRule.Program, guesses));
        }

        foreach (string file in needs.Modules is { } modules ? _modules.Find(program, root, modules) : [])
        {
            bool isBelow = file.StartsWith($"{root}/", StringComparison.Ordinal);
            AddFile(isBelow ? root : "", isBelow ? file[root.Length..] : file, GuessRule.Module, guesses);
        }

        AddCommands(root, needs.Words, GuessRule.Command, guesses);
        return guesses;
    }

    /// <summary>Adds the objects of a file, if they are not too many.</summary>
    public static void AddObjects(Catalog catalog, CatalogEntry file, GuessRule rule, List<Guess> guesses)
    {
        List<ObjectKey> objects = [];
        if (catalog.ReadObjects(file, objects, ProgramNeeds.MaxNames) is null)
        {
            guesses.AddRange(objects.Select(key => new Guess(key, file.SizeBytes / objects.Count, rule)));
        }
    }

    private static string[] LibraryDirectories(string? triplet) =>
    [
        .. triplet is null ? (string[])[] : [$"/lib/{triplet}", $"/usr/lib/{triplet}"],
        "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
    ];

    /// <summary><c>$ORIGIN</c>, where a path begins with it, is the program's own directory, below its root as all other paths.</summary>
    private static string Expand(string path, string root, string program)
    {
        foreach (string origin in (string[])["$ORIGIN", "${ORIGIN}"])
        {
            if (path.StartsWith(origin, StringComparison.Ordinal))
            {
                return string.Concat(program.AsSpan(root.Length..program.LastIndexOf('/')), path.AsSpan(origin.Length));
            }
        }

        return path;
    }

    private void AddCommands(string root, IReadOnlyList<string> commands, GuessRule rule, List<Guess> guesses)
    {
        foreach (string command in commands)
        {
            _ = command[0] == '/'
                ? AddFile(root, command, rule, guesses)
                : s_commandDirectories.Any(directory => AddFile(root, $"{directory}/{command}", rule, guesses));
        }
    }

    private bool AddFile(string root, string path, GuessRule rule, List<Guess> guesses)
    {
        if (!catalogs.MayLookUp || !TryResolve(root, path, out Catalog? catalog, out CatalogEntry? entry))
        {
            return false;
        }

        AddObjects(catalog, entry, rule, guesses);
        return true;
    }

    /// <summary>
    /// The root of the system that a program belongs to: the nearest directory above it that has an <c>etc</c> or <c>usr</c>.
    /// </summary>
    private string RootOf(string program)
    {
        for (int end = program.LastIndexOf('/'); end > 0; end = program.LastIndexOf('/', end - 1))
        {
            string directory = program[..end];
            if (catalogs.Find($"{directory}/usr", out _) is not null || catalogs.Find($"{directory}/etc", out _) is not null)
            {
                return directory;
            }
        }

        return "";
    }

    /// <summary>Follows a path below a root, links included, as a system whose root it is does.</summary>
    private bool TryResolve(string root, string path, [NotNullWhen(true)] out Catalog? catalog, [NotNullWhen(true)] out CatalogEntry? entry)
    {
        (catalog, entry) = (null, null);
        if (root.Length + path.Length > MaxPathChars)
        {
            return false;
        }

        Stack<string> left = Names(path);
        List<string> way = [];
        for (int hops = 0; left.TryPop(out string? name);)
        {
            if (name is "." or "..")
            {
                if (name == ".." && way.Count > 0)
                {
                    way.RemoveAt(way.Count - 1);
                }

                continue;
            }

            way.Add(name);
            string at = $"{root}/{string.Join('/', way)}";
            entry = at.Length > MaxPathChars ? null : catalogs.Find(at, out catalog);
            if (entry is null)
            {
                return false;
            }

            if (entry.IsLink)
            {
                if (++hops > MaxHops || entry.LinkTarget.Length == 0 || entry.LinkTarget.Contains('$', StringComparison.Ordinal))
                {
                    return false;
                }

                if (entry.LinkTarget[0] == '/')
                {
                    way.Clear();
                }
                else
                {
                    way.RemoveAt(way.Count - 1);
                }

                foreach (string further in Names(entry.LinkTarget).Reverse())
                {
                    left.Push(further);
                }

                entry = null;
            }
        }

        return entry is { HasObjects: true } && catalog is not null;
    }

    /// <summary>The names of a path; the first is on top.</summary>
    private static Stack<string> Names(string path) => new(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
}
