using System.CommandLine;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Repositories;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>The commands of <c>publish</c>: what they do, what they say, and how they end.</summary>
public sealed class PublishCommandTests : IDisposable
{
    private static readonly Command s_publish = PublishCommand.Create();

    private readonly PublishBench _bench = new();
    private readonly string _settings;

    public PublishCommandTests()
    {
        _settings = _bench.Combine("settings.json");
        File.WriteAllText(_settings, JsonSerializer.Serialize(new
        {
            Store = new { Path = _bench.Combine("store") },
            Publish = new { Path = _bench.Output, KeysDirectory = _bench.KeysFolder },
        }));
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Publish_FirstAndAgain_SaysWhatItDid()
    {
        await _bench.ShellAsync("mkdir d; head -c 2500 /dev/urandom > d/f; ln -s f d/l");

        CommandResult first = await RunAsync(_bench.Tree, "--tag", "v1", "--description", "the first");
        CommandResult again = await RunAsync(_bench.Tree);

        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        Assert.StartsWith(
            "os.example.org revision 1 is published: 1 files, 1 links, 2 directories, 2.5 KB.\n1 files read (2.5 KB); ", first.Output,
            StringComparison.Ordinal);
        Assert.EndsWith($"Served from {_bench.Root} as /cvmfs/os.example.org; clients' key: {_bench.Keys.PublicPath}\n", first.Output,
            StringComparison.Ordinal);
        Assert.Equal(0, again.ExitCode);
        Assert.StartsWith("Nothing has changed: os.example.org stays at revision 1; ", again.Output, StringComparison.Ordinal);
        Assert.Equal("the first", (await _bench.CurrentAsync()).Tags.Single(tag => tag.Name == "v1").Description);
    }

    [Fact]
    public async Task Tag_SetMovedAndTakenAway_NamesWhatItSays()
    {
        await PublishAsync("one", "--tag", "v1");
        await PublishAsync("two!");
        ObjectKey[] roots = [.. Roots(await _bench.CurrentAsync(), "v1", "trunk")];

        AssertRefused(await RunAsync("tag", "v1"), "The tag v1 names revision 1: move it with --move");
        AssertDone(await RunAsync("tag", "v1", "--to", "trunk-previous"), "the tag v1 names revision 1. Clients see it with revision 3.");
        AssertDone(await RunAsync("tag", "v1", "--move", "--description", "both"), "the tag v1 names revision 2. Clients see it with");
        AssertDone(await RunAsync("tag", "old", "--to", "1"), "the tag old names revision 1.");
        CommandResult list = await RunAsync("list");
        AssertDone(list, "both\n");
        Assert.Equal([roots[1], roots[0]], Roots(await _bench.CurrentAsync(), "v1", "old"));
        AssertDone(await RunAsync("tag", "v1", "--to", "old", "--move"), "the tag v1 names revision 1.");
        Assert.Equal("both", (await _bench.CurrentAsync()).Tags.Single(tag => tag.Name == "v1").Description);
        AssertDone(await RunAsync("tag", "v1", "--remove"), "the tag v1 is taken away. Clients see it with revision 7.");
        Assert.DoesNotContain((await _bench.CurrentAsync()).Tags, tag => tag.Name == "v1");
        AssertRefused(await RunAsync("tag", "v1", "--remove"), "There is no tag v1");
        AssertRefused(await RunAsync("tag", "x", "--to", "nosuch"), "There is no tag 'nosuch'");
        AssertRefused(await RunAsync("tag", "x", "--to", "99"), "There is no tag '99'");
        await _bench.AssertWholeAsync();
    }

    [Fact]
    public async Task List_ForPeopleAndPrograms_HasTheNewestTagFirst()
    {
        _bench.Write("f", "one");
        await _bench.PublishAsync(request => request with { Tag = "b" });
        _bench.Time.Advance(TimeSpan.FromSeconds(10));
        _bench.Write("f", "two!");
        await _bench.PublishAsync(request => request with { Tag = "a", Description = "the second" });

        string[] lines = (await RunAsync("list")).Output.TrimEnd('\n').Split('\n');
        JsonElement json = JsonElement.Parse((await RunAsync("list", "--json")).Output);

        Assert.StartsWith("os.example.org revision 2, published 2", lines[0], StringComparison.Ordinal);
        Assert.Contains(", trusted until 2", lines[0], StringComparison.Ordinal);
        Assert.Equal(["a", "trunk", "b", "trunk-previous"], lines[1..].Select(line => line.Split(' ')[0]));
        Assert.EndsWith("  the second", lines[1], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Equal(line.TrimEnd(), line));
        Assert.Equal(("os.example.org", 2), (json.GetProperty("repository").GetString(), json.GetProperty("revision").GetInt32()));
        Assert.Equal(["a", "trunk", "b", "trunk-previous"],
            json.GetProperty("tags").EnumerateArray().Select(tag => tag.GetProperty("name").GetString()));
        Assert.True(json.GetProperty("trustedUntil").GetDateTimeOffset() > DateTimeOffset.UtcNow.AddDays(100));

        File.Delete(Path.Combine(_bench.Root, ".cvmfswhitelist"));
        Assert.Contains("trusted until never: it has no whitelist", (await RunAsync("list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_OfADamagedObject_SeesItWhenItReadsThemAll()
    {
        await PublishAsync("some text");
        CommandResult right = await RunAsync("check");
        CommandResult allRight = await RunAsync("check", "--verify");
        string file = Directory.EnumerateFiles(Path.Combine(_bench.Root, "data"), "*", SearchOption.AllDirectories)
            .First(path => Path.GetFileName(path).Length == 38 && new FileInfo(path).Length > 8);
        await File.WriteAllBytesAsync(file, [1, 2, 3]);

        CommandResult there = await RunAsync("check");
        CommandResult damaged = await RunAsync("check", "--verify");
        JsonElement json = JsonElement.Parse((await RunAsync("check", "--verify", "--json")).Output);
        File.Delete(file);
        CommandResult missing = await RunAsync("check");

        Assert.Matches(@"^os\.example\.org revision 1: \d+ objects are there\.\n$", right.Output);
        Assert.Matches(@"^os\.example\.org revision 1: \d+ objects are there, all with their hash\.\n$", allRight.Output);
        Assert.Equal((0, 0, 0, 65, 65), (right.ExitCode, allRight.ExitCode, there.ExitCode, damaged.ExitCode, missing.ExitCode));
        Assert.Equal("os.example.org revision 1: 1 things are wrong.\n", damaged.Output);
        Assert.Equal(damaged.Output, missing.Output);
        Assert.Matches(@"^The object \w+ is missing or damaged\.\n$", damaged.Error);
        Assert.Equal((true, 1), (json.GetProperty("isVerified").GetBoolean(), json.GetProperty("problems").GetArrayLength()));
    }

    [Fact]
    public async Task Rollback_ToWhatWas_ShowsItAsANewRevisionAndGcRemovesTheRest()
    {
        await PublishAsync("one", "--tag", "v1");
        await PublishAsync("two!");
        await PublishAsync("three");

        AssertDone(await RunAsync("rollback"), "os.example.org revision 4 is what trunk-previous (revision 2) was.");
        AssertDone(await RunAsync("rollback", "v1"), "os.example.org revision 5 is what v1 (revision 1) was.");
        AssertDone(await RunAsync("rollback", "4"), "os.example.org revision 6 is what trunk-previous (revision 4) was.");
        AssertRefused(await RunAsync("rollback", "nosuch"), "There is no tag 'nosuch'");
        Assert.Equal(6UL, (await _bench.CurrentAsync()).Manifest.Revision);

        CommandResult gc = await RunAsync("gc");

        Assert.Matches(@"^os\.example\.org: [1-9]\d* objects removed \(\d+\.\d KB\)\.\n$", gc.Output);
        Assert.Equal("os.example.org: 0 objects removed (0.0 KB).\n", (await RunAsync("gc")).Output);
        await _bench.AssertWholeAsync();
    }

    [Fact]
    public async Task Whitelist_SignedAnew_IsShownOrWrittenToAFile()
    {
        await PublishAsync("one");
        string file = _bench.Combine("carried");
        DateTimeOffset now = DateTimeOffset.UtcNow;

        AssertDone(await RunAsync("whitelist", "--days", "10"), "os.example.org: the whitelist is valid until ");
        Assert.InRange(Expiry(Path.Combine(_bench.Root, ".cvmfswhitelist")), now.AddDays(10).AddMinutes(-1), now.AddDays(10).AddHours(1));
        AssertDone(await RunAsync("whitelist", "--days", "300", "--file", file), $"{file}: valid until ");
        Assert.InRange(Expiry(file), now.AddDays(300).AddMinutes(-1), now.AddDays(300).AddHours(1));
        AssertRefused(await RunAsync("whitelist", "--certificate", _bench.Combine("none.crt")), "name the certificate with --certificate");

        // The master key is elsewhere: what was brought from there is shown.
        File.Move(_bench.Keys.MasterPath, _bench.Combine("master"));
        File.Copy(file, _bench.Keys.WhitelistPath, overwrite: true);
        AssertDone(await RunAsync("whitelist"), "os.example.org: the whitelist is valid until ");
        Assert.Equal(await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(Path.Combine(_bench.Root, ".cvmfswhitelist")));
        AssertDone(await RunAsync("whitelist", "--master", _bench.Combine("master"), "--days", "20"), "the whitelist is valid until ");
    }

    [Fact]
    public async Task Keys_ThatAreThere_AreShownAndNotReplaced()
    {
        CommandResult shown = await RunAsync("keys");
        File.Delete(_bench.Keys.MasterPath);
        CommandResult without = await RunAsync("keys");

        Assert.Equal(5, shown.Output.TrimEnd('\n').Split('\n').Length);
        Assert.DoesNotContain("not here", shown.Output, StringComparison.Ordinal);
        Assert.Contains($"{_bench.Keys.SigningPath}: secret: signs revisions\n", shown.Output, StringComparison.Ordinal);
        Assert.Contains($"{_bench.Keys.MasterPath}: not here\n", without.Output, StringComparison.Ordinal);
        AssertRefused(await RunAsync("keys", "--new"), "Say where the secret master key goes");
        AssertRefused(await RunAsync("keys", "--new", "--master-here", "--offline", _bench.Combine("m")), "Say where the secret");
        AssertRefused(await RunAsync("keys", "--new", "--master-here"), "is there already");
        AssertRefused(await RunAsync("keys", "--new", "--offline", _bench.Combine("m")), "is there already");
    }

    [Theory]
    [InlineData(0, "tag", "v1")]
    [InlineData(1, "tag", "trunk")]
    [InlineData(1, "tag", "a/b")]
    [InlineData(1, "tree", "--tag", "a b")]
    [InlineData(1, "tree", "--move", "trunk-previous")]
    [InlineData(1, "tree", "--ttl", "9")]
    [InlineData(0, "tree", "--ttl", "10")]
    [InlineData(0, "tree", "--ttl", "86400")]
    [InlineData(1, "tree", "--ttl", "86401")]
    [InlineData(1, "tree", "--catalog-entries", "999")]
    [InlineData(0, "tree", "--catalog-entries", "1000")]
    [InlineData(0, "tree", "--catalog-entries", "10000000")]
    [InlineData(1, "tree", "--catalog-entries", "10000001")]
    [InlineData(1, "tree", "--boot-files", "/nowhere/list")]
    [InlineData(1, "whitelist", "--days", "0")]
    [InlineData(0, "whitelist", "--days", "1")]
    [InlineData(0, "whitelist", "--days", "3650")]
    [InlineData(1, "whitelist", "--days", "3651")]
    [InlineData(1, "list", "--nosuch")]
    public void Options_OutsideTheirRange_AreRefused(int errors, params string[] words) =>
        Assert.Equal(errors, Errors([.. words, "--repository", PublishBench.Fqrn]));

    [Theory]
    [InlineData("os.example.org", 0)]
    [InlineData("os_1.example-x.org", 0)]
    [InlineData("os/example", 1)]
    [InlineData("", 1)]
    public void Repository_WithAName_IsTakenIfARepositoryCanHaveIt(string fqrn, int errors) =>
        Assert.Equal(errors, Errors("list", "--repository", fqrn));

    /// <summary>The lock of a repository that was looked at in vain is let go: the next command says the same.</summary>
    [Fact]
    public async Task Commands_WhereNothingIsPublished_SaySoEachTime()
    {
        AssertRefused(await RunAsync("list"), $"os.example.org is not published in {_bench.Output}. Name another folder with --output.");
        Directory.CreateDirectory(_bench.Root);
        for (int i = 0; i < 2; i++)
        {
            AssertRefused(await RunAsync("list"), $"os.example.org is not published in {_bench.Output} yet: run 'breakwater publish");
        }

        using RepositoryFolder folder = RepositoryFolder.Open(_bench.Output, PublishBench.Fqrn);
        AssertRefused(await RunAsync("list"), "Another command is publishing os.example.org");
    }

    [Fact]
    public async Task Publish_ToldToEnd_SaysThatNothingHasChanged()
    {
        _bench.Write("f", "text");

        CommandResult result = await CommandInProcess.RunAsync(s_publish, new CancellationToken(canceled: true), Words(_bench.Tree));

        Assert.Equal((130, "Interrupted: what was published before is unchanged.\n"), (result.ExitCode, result.Error));
        Assert.False(File.Exists(Path.Combine(_bench.Root, ".cvmfspublished")));
    }

    [Fact]
    public async Task Commands_WithWrongSettingsOrWithoutTheirKeys_EndWithTheCodeForIt()
    {
        _bench.Write("f", "text");
        CommandResult noFolder = await RunAsync(_bench.Tree, "--output", _settings);
        CommandResult noKeys = await RunAsync(_bench.Tree, "--keys", _bench.Combine("none"));
        File.WriteAllText(_settings, """{ "Proxy": { "Listen": [ "nowhere" ] } }""");
        CommandResult wrong = await RunAsync("list");

        AssertRefused(noKeys, "publish keys --new");
        Assert.Equal((73, 78), (noFolder.ExitCode, wrong.ExitCode));
        Assert.EndsWith(" What clients see is unchanged.\n", noFolder.Error, StringComparison.Ordinal);
        Assert.Contains("Proxy:Listen", wrong.Error, StringComparison.Ordinal);
    }

    private static int Errors(params string[] words) =>
        s_publish.Parse(words).Errors.Select(error => error.Message).Distinct().Count();

    private IEnumerable<string> Words(params string[] words) => [.. words, "--repository", PublishBench.Fqrn, "--settings", _settings];

    private Task<CommandResult> RunAsync(params string[] words) => CommandInProcess.RunAsync(s_publish, Words(words));

    private async Task PublishAsync(string text, params string[] more)
    {
        _bench.Write("f", text);
        CommandResult result = await RunAsync([_bench.Tree, .. more]);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    private static IEnumerable<ObjectKey> Roots(Commands.Publish.Revisions.CurrentRepository current, params string[] tags) =>
        tags.Select(name => current.Tags.Single(tag => tag.Name == name).RootCatalog);

    private static DateTimeOffset Expiry(string whitelist) => Whitelist.Parse(File.ReadAllBytes(whitelist)).Value!.ExpiresAt;

    private static void AssertDone(CommandResult result, string says)
    {
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains(says, result.Output, StringComparison.Ordinal);
    }

    private static void AssertRefused(CommandResult result, string says)
    {
        Assert.Equal(65, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
    }
}
