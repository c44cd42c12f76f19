using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Channels;
using Breakwater.CacheStore;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Settings;
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
            typeof(StringBuilder), typeof(MemoryStream), typeof(BlockingCollection<>), typeof(Pipe),
    ];

    /// <summary>What does not grow itself: in a field that is written again, it is replaced by a larger one.</summary>
    private static readonly Type[] s_replaced =
    [
        typeof(FrozenDictionary<,>), typeof(FrozenSet<>), typeof(ImmutableArray<>), typeof(ImmutableList<>), typeof(ImmutableHashSet<>),
        typeof(ImmutableDictionary<,>), typeof(IReadOnlyList<>), typeof(IReadOnlyCollection<>), typeof(IReadOnlyDictionary<,>),
        typeof(IReadOnlySet<>), typeof(IEnumerable<>),
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
        where (IsCollection(field.FieldType) || IsReplaced(field)) && !field.Name.StartsWith("<>", StringComparison.Ordinal)
        select $"{Arity().Replace(type.FullName![(type.Namespace!.Length + 1)..], "").Replace('+', '.')}.{NameOf(field)}";

    private static bool IsGenerated(Type? type) =>
        type is not null
        && (type.IsDefined(typeof(CompilerGeneratedAttribute), false) || type.Name.Contains('<') || IsGenerated(type.DeclaringType));

    private static bool IsCollection(Type type) =>
        (type.IsArray && IsCollection(type.GetElementType()!))
        || s_collections.Contains(type.IsGenericType ? type.GetGenericTypeDefinition() : type);

    /// <summary>Neither what a constructor was given (its compiler's name ends with P) nor a property of the settings.</summary>
    private static bool IsReplaced(FieldInfo field) =>
        field is { IsInitOnly: false, IsLiteral: false } && !field.Name.EndsWith(">P", StringComparison.Ordinal)
        && !(field.DeclaringType!.Namespace == typeof(BreakwaterSettings).Namespace && field.Name[0] == '<')
        && (field.FieldType is { IsArray: true }
            || (field.FieldType.IsGenericType && s_replaced.Contains(field.FieldType.GetGenericTypeDefinition())));

    private static string NameOf(FieldInfo field) =>
        BackingField().Match(field.Name) is { Success: true } match ? match.Groups[1].Value : field.Name;

    [GeneratedRegex(@"^\| `([\w.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex ListedName();

    [GeneratedRegex(@"`\d+")]
    private static partial Regex Arity();

    [GeneratedRegex("^<(.+)>")]
    private static partial Regex BackingField();
}
