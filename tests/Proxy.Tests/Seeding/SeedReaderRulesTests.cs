using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>What a reader hands on of a bundle, and where and why it refuses one.</summary>
public sealed class SeedReaderRulesTests
{
    private const string B = "b.example.org";
    private const string NotThere = ", which is not the entry of the same object just before it.";
    private static readonly string s_manifest = SeedPath.OfDocument(SmallBundle.Fqrn, SeedPath.Manifest);
    private static readonly string s_one = SmallBundle.NameOf(1);
    private static readonly string s_two = SmallBundle.NameOf(2);

    [Fact]
    public async Task Bundle_OfEverything_IsHandedOnInOrder()
    {
        SmallBundle bundle = Whole();
        byte[] bytes = await bundle.MakeAsync();
        string KeyOf(byte first) => SmallBundle.NameOf(first)[^41..].Replace("/", "", StringComparison.Ordinal);
        string LinkOf(byte first) => $"link {B} {KeyOf(first)}";
        string FileOf(string name, byte first, int length) =>
            $"object {SmallBundle.Fqrn} {KeyOf(first)} {name} {length} at {SmallBundle.HeaderOf(bytes, name) + 512}";

        Assert.Equal(
            [
                $"document {s_manifest} published at {SmallBundle.HeaderOf(bytes, s_manifest) + 512}",
                FileOf(s_one, 1, 700), "end 700", LinkOf(1), FileOf(s_two, 2, 0), "end 0",
            ],
            await SmallBundle.ReadAsync(bytes));
    }

    [Theory]
    [InlineData(700, null)]
    [InlineData(699, "states 700 bytes; objects have 699 at most (Store:MaxObjectBytes)")]
    public async Task Bundle_OfALongObject_TakesAsMuchAsTheStoreDoes(long maxObjectBytes, string? expected)
    {
        byte[] bytes = await Whole().MakeAsync();
        await EndsAsync(
            bytes, expected is null ? null : $"{s_one} at offset {SmallBundle.HeaderOf(bytes, s_one)}: {expected}.", maxObjectBytes);
    }

    [Theory]
    [InlineData(1, 0, 0, "states 3 objects of 700 bytes and 1 links, but 2 of 700 and 1 are there")]
    [InlineData(0, 1, 0, "states 2 objects of 701 bytes and 1 links, but 2 of 700 and 1 are there")]
    [InlineData(0, 0, 1, "states 2 objects of 700 bytes and 2 links, but 2 of 700 and 1 are there")]
    [InlineData(0, 0, -1, "states 2 objects of 700 bytes and 0 links, but 2 of 700 and 1 are there")]
    public async Task Index_ThatStatesOthersThanThereAre_IsRefused(int objects, int bytes, int links, string expected)
    {
        SmallBundle bundle = Whole();
        bundle.Lie = index => index with
        {
            Objects = index.Objects + objects,
            ObjectBytes = index.ObjectBytes + bytes,
            Links = index.Links + links,
        };
        byte[] made = await bundle.MakeAsync();
        await EndsAsync(made, $"{SeedPath.Index}, field objects at offset {EndOf(made) + 512}: {expected}.");
    }

    [Theory]
    [InlineData(-1, 0, false)]
    [InlineData(0, -1, true)]
    public async Task Index_ThatStatesFewerObjectsThanThereAre_IsRefusedAtTheFirstBeyond(int objects, int bytes, bool isFirst)
    {
        SmallBundle bundle = Whole();
        bundle.Lie = index => index with { Objects = index.Objects + objects, ObjectBytes = index.ObjectBytes + bytes };
        byte[] made = await bundle.MakeAsync();
        string at = isFirst ? s_one : s_two;
        await EndsAsync(
            made,
            $"{at} at offset {SmallBundle.HeaderOf(made, at)}: is more than the {2 + objects} objects of {700 + bytes} bytes "
            + "that the index states.");
    }

    [Fact]
    public async Task Index_WhoseDigestOfTheContentsIsAnother_IsRefused()
    {
        SmallBundle bundle = Whole();
        bundle.Lie = index => index with { Contents = new string('0', 64) };
        byte[] made = await bundle.MakeAsync();
        await EndsAsync(
            made, $"{SeedPath.Index}, field contents at offset {EndOf(made) + 512}: does not fit the objects that are there.");
    }

    [Theory]
    [InlineData(0, "0", "does not have the SHA-256 that the index states")]
    [InlineData(1, "", "does not have the SHA-256 that the index states")]
    public async Task Document_ThatIsNotAsStated_IsRefused(int longer, string digest, string expected)
    {
        SmallBundle bundle = Whole();
        bundle.Lie = index => index with
        {
            Documents = [index.Documents[0] with
            {
                SizeBytes = index.Documents[0].SizeBytes + longer,
                Sha256 = digest.Length > 0 ? new string('0', 64) : index.Documents[0].Sha256,
            }],
        };
        byte[] made = await bundle.MakeAsync();
        await EndsAsync(made, $"{s_manifest} at offset {SmallBundle.HeaderOf(made, s_manifest) + 512}: {expected}.");
    }

    [Fact]
    public async Task Document_OfAnotherLengthThanStated_IsRefusedBeforeItIsRead()
    {
        SmallBundle bundle = Whole();
        bundle.Lie = index => index with { Documents = [index.Documents[0] with { SizeBytes = 8 }] };
        byte[] made = await bundle.MakeAsync();
        await EndsAsync(made, $"{s_manifest} at offset {SmallBundle.HeaderOf(made, s_manifest)}: states 9 bytes; 8 are the most.");
        bundle.Lie = index => index with { Documents = [index.Documents[0] with { SizeBytes = -1 }] };
        await EndsAsync(
            await bundle.MakeAsync(),
            $"{SeedPath.Index}, field documents at offset 0: states -1 bytes for {s_manifest}; 65536 are the most, of 67108864 for all "
            + "documents.");
    }

    public static TheoryData<string, string> Orders => new()
    {
        { "two one", $"{s_one} at offset *: is out of order behind {s_two}." },
        { "one one", $"{s_one} at offset *: is twice there." },
        { "link", $"{SmallBundle.NameOf(1, B)} at offset *: links to ''{s_one}''{NotThere}" },
        { "one two-link", $"{SmallBundle.NameOf(2, B)} at offset *: links to ''{s_one}''{NotThere}" },
        { "one link-elsewhere", $"{SmallBundle.NameOf(1, B)} at offset *: links to ''{s_two}''{NotThere}" },
        { "b-one a-link", $"{s_one} at offset *: is out of order behind {SmallBundle.NameOf(1, B)}." },
        { "one b-one", $"{SmallBundle.NameOf(1, B)} at offset *: is there again; it must be a link to {s_one}." },
        {
            "catalog certificate",
            $"{SmallBundle.NameOf(1, kind: 'X')} at offset *: is out of order behind {SmallBundle.NameOf(1, kind: 'C')}."
        },
        { "stranger", $"{SmallBundle.NameOf(1, "c.example.org")} at offset *: belongs to a repository that the index does not have." },
        { "document", $"{s_manifest} at offset *: is out of its place, or twice there." },
        { "odd", "'cvmfs/a.example.org/data/x' at offset *: is not a name that a bundle has; nothing is ever written to such a path." },
    };

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Objects_InAnOrderThatNoBundleHas_AreRefusedByName(string order, string expected)
    {
        SmallBundle bundle = new() { Fqrns = { B } };
        _ = order switch
        {
            "two one" => bundle.Add(s_two, 1).Add(s_one, 1),
            "one one" => bundle.Add(s_one, 1).Add(s_one, 1),
            "link" => bundle.AddLink(SmallBundle.NameOf(1, B), s_one),
            "one two-link" => bundle.Add(s_one, 1).AddLink(SmallBundle.NameOf(2, B), s_one),
            "one link-elsewhere" => bundle.Add(s_one, 1).AddLink(SmallBundle.NameOf(1, B), s_two),
            "b-one a-link" => bundle.Add(SmallBundle.NameOf(1, B), 1).AddLink(s_one, SmallBundle.NameOf(1, B)),
            "one b-one" => bundle.Add(s_one, 1).Add(SmallBundle.NameOf(1, B), 1),
            "catalog certificate" => bundle.Add(SmallBundle.NameOf(1, kind: 'C'), 1).Add(SmallBundle.NameOf(1, kind: 'X'), 1),
            "stranger" => bundle.Add(SmallBundle.NameOf(1, "c.example.org"), 1),
            "document" => bundle.Add(s_manifest, 1),
            _ => bundle.Add("cvmfs/a.example.org/data/x", 1),
        };
        bundle.Lie = index => index with { Objects = 9, ObjectBytes = 999 };
        byte[] made = await bundle.MakeAsync();
        string last = (await SmallBundle.ReadAsync(made))[^1];
        int at = last.IndexOf(" at offset ", StringComparison.Ordinal) + 11;
        string number = last[at..last.IndexOf(':', at)];
        Assert.Equal(expected.Replace("*", number, StringComparison.Ordinal), last);
        int wrong = int.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(bundle.Objects[^1].Name, TarHeader.Read(made.AsSpan(wrong, 512), out _).Name);
    }

    /// <summary>A name that is too long for a link's target: the bytes come again, and are counted once.</summary>
    [Theory]
    [InlineData(100, false)]
    [InlineData(101, true)]
    public async Task Objects_OfLongNames_AreThereAgainInsteadOfALink(int length, bool isAgain)
    {
        string a = new string('a', length - 55) + ".a";
        string b = new string('b', length - 55) + ".a";
        Assert.Equal(length, SmallBundle.NameOf(1, a).Length);
        Assert.Equal(!isAgain, SeedPath.FitsAsLinkTarget(SmallBundle.NameOf(1, a)));
        SmallBundle bundle = new();
        bundle.Fqrns.Clear();
        bundle.Fqrns.AddRange([a, b]);
        bundle.Add(SmallBundle.NameOf(1, a), 5).Add(SmallBundle.NameOf(1, b), 5).Add(SmallBundle.NameOf(2, a), 5);
        List<string> lines = await SmallBundle.ReadAsync(await bundle.MakeAsync());
        Assert.Equal(isAgain, lines[^1] == "end 5" && lines.Count == 6);
        Assert.Equal((2L, 10L), (bundle.Index().Objects, bundle.Index().ObjectBytes));
    }

    [Fact]
    public async Task Bundle_WithSomethingBetweenOrBehind_IsRefusedAtItsPlace()
    {
        byte[] made = await Whole().MakeAsync();
        int file = SmallBundle.HeaderOf(made, s_one) + 512;
        int end = EndOf(made);
        await EndsAsync(Changed(made, file + 700), $"{s_one} at offset {file + 700}: is followed by bytes that should be zero.");
        await EndsAsync(Changed(made, file + 1023), $"{s_one} at offset {file + 1023}: is followed by bytes that should be zero.");
        await EndsAsync(Changed(made, end + 512), $"the end of the bundle at offset {end + 512}: should be zero.");
        await EndsAsync(Changed(made, end + 1023), $"the end of the bundle at offset {end + 1023}: should be zero.");
        await EndsAsync([.. made, 0], $"the bundle at offset {end + 1024}: goes on behind its end.");
        await EndsAsync([], "the bundle at offset 0: is empty.");
        await EndsAsync(made[..1], "the bundle at offset 1: is cut off: its end is missing.");
        await EndsAsync(made[..(end + 512)], $"the bundle at offset {end + 512}: is cut off: its end is missing.");
        await EndsAsync(made[..(end + 100)], $"the bundle at offset {end + 100}: is cut off: its end is missing.");
        await EndsAsync(made[..(file + 100)], $"{s_one} at offset {file + 100}: is cut off: 600 bytes are missing.");
        await EndsAsync(made[..(file + 800)], $"{s_one} at offset {file + 800}: is cut off.");
        await EndsAsync(made[..600], $"{SeedPath.Index} at offset 600: is cut off.");
        await EndsAsync(new byte[1024], $"{SeedPath.Index} at offset 0: is missing.");
        await EndsAsync(
            Changed(made, 0), "'creakwater-seed/index.json' at offset 0: its header does not have its checksum; is this a seed bundle?.");
    }

    [Fact]
    public async Task Bundle_ThatBeginsWithAnotherEntry_IsRefusedByName()
    {
        byte[] made = await Whole().MakeAsync();
        int manifest = SmallBundle.HeaderOf(made, s_manifest);
        await EndsAsync(made[manifest..], $"'{s_manifest}' at offset 0: is out of order: {SeedPath.Index} belongs here.");
        using var tar = new MemoryStream();
        await using (var writer = new SeedWriter(tar))
        {
            await writer.WriteAsync("etc/passwd", new MemoryStream(), default);
        }

        await EndsAsync(
            tar.ToArray(), $"'etc/passwd' at offset 0: is not a name that a bundle has here; {SeedPath.Index} belongs here.");
    }

    private static SmallBundle Whole()
    {
        SmallBundle bundle = new() { Fqrns = { B } };
        bundle.Documents.Add((s_manifest, "published"u8.ToArray()));
        return bundle.Add(s_one, 700).AddLink(SmallBundle.NameOf(1, B), s_one).Add(s_two, 0);
    }

    private static int EndOf(byte[] bundle) => bundle.Length - 1024;

    private static byte[] Changed(byte[] bundle, int at)
    {
        byte[] changed = [.. bundle];
        changed[at] ^= 1;
        return changed;
    }

    private static async Task EndsAsync(byte[] bundle, string? expected, long maxObjectBytes = 1000)
    {
        string last = (await SmallBundle.ReadAsync(bundle, maxObjectBytes))[^1];
        Assert.Equal(expected ?? "end 0", last);
    }
}
