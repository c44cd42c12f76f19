using ArchUnitNET.Loader;
using Arch = ArchUnitNET.Domain.Architecture;

namespace Breakwater.Proxy.Tests.Architecture;

/// <summary>
/// Who uses whom, between the folders of the product's assemblies. Read off the compiled code, so that names in comments do not count.
/// </summary>
internal static class Arrows
{
    /// <summary>The product's assemblies, with their types and what each of these uses.</summary>
    public static Arch Product { get; } = new ArchLoader()
        .LoadAssemblies(typeof(global::Breakwater.Proxy.Settings.BreakwaterSettings).Assembly,
        typeof(global::Breakwater.CacheStore.IObjectStore).Assembly, typeof(global::Breakwater.Repositories.Manifest).Assembly)
        .Build();

    /// <summary>Every use of a type in one folder by a type in another, with an example for the message of a failed test.</summary>
    public static IReadOnlyList<Arrow> All { get; } =
    [
        .. from type in Product.Types
           where IsOurs(type.FullName)
           from dependency in type.Dependencies
           let target = dependency.Target
           where IsOurs(target.FullName)
           let @from = FolderOf(type.FullName)
           let to = FolderOf(target.FullName)
           where @from != to
           group (type, target) by (@from, to) into uses
           orderby uses.Key.@from, uses.Key.to
           select new Arrow(uses.Key.@from, uses.Key.to, $"{uses.First().type.Name} uses {uses.First().target.Name}"),
    ];

    /// <summary>
    /// The circles among the children of each folder, at any depth. A folder's own files count as a child of their own, named like the
    /// folder with a dot behind it.
    /// </summary>
    /// <returns>One line a circle: its folders and an example of each arrow in it. Empty when there is none.</returns>
    public static IReadOnlyList<string> Circles(IEnumerable<Arrow> arrows)
    {
        var found = new List<string>();
        ILookup<string, (string From, string To, string Example)> byParent = arrows.Select(Siblings)
            .ToLookup(s => s.Parent, s => (s.From, s.To, s.Example));
        foreach (IGrouping<string, (string From, string To, string Example)> level in byParent)
        {
            Dictionary<string, (string To, string Example)[]> uses = level.GroupBy(a => a.From)
                .ToDictionary(g => g.Key, g => g.Select(a => (a.To, a.Example)).ToArray());
            foreach ((string from, (string To, string Example)[] targets) in uses)
            {
                found.AddRange(targets.Where(t => string.CompareOrdinal(from, t.To) < 0 && Reaches(uses, t.To, from))
                    .Select(t => $"{level.Key}: {from} and {t.To} ({t.Example})"));
            }
        }

        return found;
    }

    /// <summary>The room of a type: the first folder of the proxy, or the name of the class library.</summary>
    public static string RoomOf(string folder)
    {
        string[] parts = folder.Split('.');
        return parts[1] == "Proxy" ? (parts.Length > 2 ? parts[2] : "Commands") : char.ToLowerInvariant(parts[1][0]) + parts[1][1..];
    }

    /// <summary>The room of the store that a folder of it is; its own files are what all of them know.</summary>
    public static string StoreRoomOf(string folder) => folder.Split('.') is [_, _, var room, ..] ? room : "(root)";

    private static bool Reaches(Dictionary<string, (string To, string Example)[]> uses, string start, string goal)
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>([start]);
        while (open.TryPop(out string? at))
        {
            if (at == goal)
            {
                return true;
            }

            if (seen.Add(at) && uses.TryGetValue(at, out (string To, string Example)[]? next))
            {
                Array.ForEach(next, n => open.Push(n.To));
            }
        }

        return false;
    }

    /// <summary>An arrow between two folders as an arrow between two children of the folder that holds both.</summary>
    private static (string Parent, string From, string To, string Example) Siblings(Arrow arrow)
    {
        string[] from = arrow.From.Split('.'), to = arrow.To.Split('.');
        int common = from.Zip(to).TakeWhile(p => p.First == p.Second).Count();
        string Child(string[] path) => path.Length > common ? path[common] : path[^1] + ".";
        return (string.Join('.', from[..common]), Child(from), Child(to), arrow.Example);
    }

    private static bool IsOurs(string name) =>
        name.StartsWith("Breakwater.", StringComparison.Ordinal) || name.StartsWith("Program", StringComparison.Ordinal);

    /// <summary>The namespace, which is the folder. The program itself is one of the commands.</summary>
    private static string FolderOf(string typeName)
    {
        if (typeName.StartsWith("Program", StringComparison.Ordinal))
        {
            return "Breakwater.Proxy.Commands";
        }

        string plain = typeName.Split('<', '`', '+', '/')[0];
        return plain[..plain.LastIndexOf('.')];
    }
}
