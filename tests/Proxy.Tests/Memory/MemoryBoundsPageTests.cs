using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Breakwater.CacheStore;
using Breakwater.Proxy.Host;
using Breakwater.TestSupport;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Tests.Memory;

/// <summary>
/// Every collection that lives in a field is on the page of bounds, by its name, and the page names none that is not there.
/// </summary>
public sealed partial class MemoryBoundsPageTests
{
    private static readonly Type[] s_collections =
    [
        typeof(Dictionary<,>), typeof(ConcurrentDictionary<,>), typeof(List<>), typeof(Queue<>), typeof(Stack<>), typeof(LinkedList<>),
            typeof(HashSet<>),
        typeof(ConcurrentQueue<>), typeof(ConcurrentStack<>), typeof(ConcurrentBag<>), typeof(SortedDictionary<,>), typeof(SortedSet<>),
            typeof(PriorityQueue<,>),
        typeof(Channel<>), typeof(ConditionalWeakTable<,>), typeof(System.Buffers.ArrayBufferWriter<>), typeof(MemoryCache),
            typeof(StringBuilder), typeof(MemoryStream),
    ];

    [Fact]
    public void Page_AndTheCollectionsInFields_AgreeByName()
    {
        string page = File.ReadAllText(Checkout.PathOf("docs", "develop", "memory-bounds.md"));
        string[] listed =
            [.. ListedName().Matches(page).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];
        string[] there = [.. Fields().Distinct().Order(StringComparer.Ordinal)];

        Assert.True(
            there.SequenceEqual(listed),
            "Not in docs/develop/memory-bounds.md: say there how it is bounded, and add a test that fills it: "
            + string.Join(", ", there.Except(listed))
            + "\nThere, but not in the code: " + string.Join(", ", listed.Except(there)));
    }

    /// <summary>Of the process that serves: what the commands hold ends with them.</summary>
    private static IEnumerable<string> Fields() =>
        from assembly in (Assembly[])[typeof(ProxyServer).Assembly, typeof(IObjectStore).Assembly,
        typeof(Breakwater.Repositories.Manifest).Assembly]
        from type in assembly.GetTypes()
        where type.Namespace?.StartsWith("Breakwater.", StringComparison.Ordinal) == true
        && !type.Namespace.StartsWith("Breakwater.Proxy.Commands", StringComparison.Ordinal)
        where !IsGenerated(type)
        from field in type.GetFields(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.DeclaredOnly)
        where IsCollection(field.FieldType) && !field.Name.StartsWith("<>", StringComparison.Ordinal)
        select $"{Arity().Replace(type.FullName![(type.Namespace!.Length + 1)..], "").Replace('+', '.')}.{NameOf(field)}";

    private static bool IsGenerated(Type? type) =>
        type is not null
        && (type.IsDefined(typeof(CompilerGeneratedAttribute), false) || type.Name.Contains('<') || IsGenerated(type.DeclaringType));

    private static bool IsCollection(Type type) =>
        (type.IsArray && IsCollection(type.GetElementType()!))
        || s_collections.Contains(type.IsGenericType ? type.GetGenericTypeDefinition() : type);

    private static string NameOf(FieldInfo field) =>
        BackingField().Match(field.Name) is { Success: true } match ? match.Groups[1].Value : field.Name;

    [GeneratedRegex(@"^\| `([\w.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex ListedName();

    [GeneratedRegex(@"`\d+")]
    private static partial Regex Arity();

    [GeneratedRegex("^<(.+)>")]
    private static partial Regex BackingField();
}
