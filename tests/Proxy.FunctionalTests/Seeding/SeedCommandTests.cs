using System.CommandLine;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

public sealed class SeedCommandTests
{
    [Fact]
    public async Task Export_FromAServerByItsUrl_WritesTheBundleAndLeavesNoStoreBehind()
    {
        FixtureRepository tiny = FixtureRepository.Load("tiny.example.org");
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();
        string output = directory.Combine("tiny.tar");

        int code = await SeedCommand.Create().Parse(["export", tiny.Fqrn, "--all", "--from", upstream.Address, "-o", output]).InvokeAsync();

        Assert.Equal(0, code);
        Assert.Equal([output], Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Theory]
    [InlineData("cvmfs.example.org")]
    [InlineData("ftp://cvmfs.example.org/")]
    public void Export_FromWhatIsNoUrlOfAServer_IsToldSo(string from) =>
        Assert.Contains(from,
        Assert.Single(SeedCommand.Create().Parse(["export", "tiny.example.org", "--all", "--from", from]).Errors).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("--all", "--revision", "3", "--tag", "HEAD4")]
    [InlineData("--whitelist-only", "--tag", "HEAD4")]
    [InlineData("--whitelist-only", "--revision", "3")]
    public void Export_OptionsThatWouldBeIgnored_AreRefused(params string[] options) =>
        Assert.Single(SeedCommand.Create().Parse(["export", "tiny.example.org", .. options]).Errors);

    [Fact]
    public async Task Export_IntoADirectoryThatIsNotThere_FailsBeforeItFetches()
    {
        FixtureRepository tiny = FixtureRepository.Load("tiny.example.org");
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();

        int code = await SeedCommand.Create()
            .Parse(["export", tiny.Fqrn, "--all", "--from", upstream.Address, "-o", directory.Combine("missing", "tiny.tar")])
            .InvokeAsync();

        Assert.NotEqual(0, code);
        Assert.Equal(0, upstream.RequestCount(tiny.UrlPath(".cvmfspublished")));
    }

    [Fact]
    public async Task Export_PathsThatMatchNothing_AreNamedAndNothingIsWritten()
    {
        Export export = await ExportAsync("/cvm4/bin/sh\n/cvm4/bin/shh\n/nothing/*\n/cvm4/etc\n");

        Assert.NotEqual(0, export.Code);
        Assert.Contains("/cvm4/bin/shh matches nothing", export.Error, StringComparison.Ordinal);
        Assert.Contains("/nothing/* matches nothing", export.Error, StringComparison.Ordinal);
        Assert.Contains("/cvm4/etc names directories", export.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("/cvm4/bin/sh matches", export.Error, StringComparison.Ordinal);
        Assert.Empty(export.Bundle);
    }

    [Fact]
    public async Task Export_PathsThatMatchNothing_AreLeftOutWhenAllowed()
    {
        Export export = await ExportAsync("/cvmfs/minios.example.org/cvm4/bin/sh\n/cvm4/bin/shh\n", "--allow-missing");

        Assert.Equal(0, export.Code);
        Assert.Contains("/cvm4/bin/shh matches nothing", export.Error, StringComparison.Ordinal);
        Assert.NotEmpty(export.Bundle);
    }

    [Fact]
    public async Task Export_ASpecificationOfTheClient_LeavesOutWhatItExcludes()
    {
        Export whole = await ExportAsync("/cvm4/etc/**\n");
        Export less = await ExportAsync("/cvm4/etc/*\n!/cvm4/etc/init.d\n");
        Export flat = await ExportAsync("^/cvm4/etc/*\n");

        Assert.Equal((0, 0, 0), (whole.Code, less.Code, flat.Code));
        Assert.True(whole.Bundle.Length > less.Bundle.Length);
        Assert.True(less.Bundle.Length >= flat.Bundle.Length);
    }

    [Fact]
    public async Task Export_ToAPipeOrALink_WritesThereAndReplacesNothing()
    {
        FixtureRepository tiny = FixtureRepository.Load("tiny.example.org");
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("tiny.tar");
        string[] order = ["export", tiny.Fqrn, "--all", "--from", upstream.Address, "--name", "t" + Guid.NewGuid().ToString("N"), "-o"];
        Assert.Equal(0, await SeedCommand.Create().Parse([.. order, file]).InvokeAsync());

        string target = directory.Combine("target.tar");
        await File.WriteAllBytesAsync(target, new byte[1 << 20]);
        string link = directory.Combine("link.tar");
        File.CreateSymbolicLink(link, target);
        Assert.Equal(0, await SeedCommand.Create().Parse([.. order, link]).InvokeAsync());
        Assert.Equal(target, new FileInfo(link).LinkTarget);
        Assert.Equal(await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(target));

        string pipe = directory.Combine("pipe");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", pipe))
        {
            await mkfifo.WaitForExitAsync().InTimeAsync();
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(25));
        Task<int> writing = Task.Run(() => SeedCommand.Create().Parse([.. order, pipe]).InvokeAsync());
        Task<byte[]> reading = Task.Run(async () =>
        {
            using var bytes = new MemoryStream();
            await using var reader = new FileStream(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            await reader.CopyToAsync(bytes, patience.Token);
            return bytes.ToArray();
        });
        Assert.Equal(0, await writing.WaitAsync(patience.Token));
        Assert.Equal(await File.ReadAllBytesAsync(file), await reading.WaitAsync(patience.Token));
        Assert.True(FileKind.IsSpecial(pipe));
    }

    // One object answered 502 ended the export of a whole repository, and did not say why.
    [Fact]
    public async Task Export_OfWhatFailsAtFirst_AsksAgain()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();
        string[] spoiled =
        [
            tiny.UrlPath(SeedPath.Manifest), tiny.UrlPath(SeedPath.Whitelist), tiny.UrlPath(tiny.LargestObject),
            tiny.UrlPath(Manifest.Parse(tiny.Files[SeedPath.Manifest]).Value!.RootCatalog),
        ];
        foreach (string path in spoiled)
        {
            upstream.ScriptNext(path, UpstreamBehaviour.WithStatus(502), UpstreamBehaviour.ResetWithoutAnswer);
        }

        CommandResult result = await ExportTinyAsync(upstream, directory);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal([directory.Combine("tiny.tar")], Directory.EnumerateFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Export_OfAnObjectThatKeepsFailing_SaysWhyAndGoesOnWhenItIsRunAgain()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();
        string path = tiny.UrlPath(tiny.LargestObject);
        upstream.Script(path, UpstreamBehaviour.WithStatus(502) with
        {
            ExtraHeaders = ["Proxy-Status: edge; error=http_response_incomplete; details=\"s1.test:80 broke off\""],
        });

        CommandResult failed = await ExportTinyAsync(upstream, directory);

        Assert.Equal(69, failed.ExitCode);
        Assert.Contains(
            $"{path}: {upstream.EndPoint} answered 502 (edge; error=http_response_incomplete; details=\"s1.test:80 broke off\"); it was "
                + "asked for 4 times. No bundle was written. Run the same command again: what was fetched is kept.",
            failed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(directory.Combine("tiny.tar")));
        Assert.Equal(4, upstream.RequestCount(path));

        upstream.Heal();
        Assert.Equal(0, (await ExportTinyAsync(upstream, directory)).ExitCode);
        string[] objects = [.. upstream.Requests.Select(request => request.Path)
            .Where(asked => asked != path && asked.Contains("/data/", StringComparison.Ordinal))];
        Assert.Equal(objects.Distinct().Count(), objects.Length);
    }

    [Fact]
    public async Task Export_OfAnObjectThatNobodyHas_AsksOnceAndSaysWhatToDo()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([tiny]);
        using var directory = new TemporaryDirectory();
        string path = tiny.UrlPath(tiny.LargestObject);
        upstream.Put(path, null);

        CommandResult failed = await ExportTinyAsync(upstream, directory);

        Assert.Equal(69, failed.ExitCode);
        Assert.Contains($"{path}: none of 1 Stratum 1s has it. No bundle was written. ", failed.Error, StringComparison.Ordinal);
        Assert.Contains("--from", failed.Error, StringComparison.Ordinal);
        Assert.Equal(1, upstream.RequestCount(path));
    }

    private static Task<CommandResult> ExportTinyAsync(ScriptedUpstream upstream, TemporaryDirectory directory) =>
        CommandInProcess.RunAsync(SeedCommand.Create(), "export", FixtureRepository.Tiny.Fqrn, "--all", "--from", upstream.Address, "-o",
            directory.Combine("tiny.tar"));

    private static async Task<Export> ExportAsync(string paths, params string[] more)
    {
        FixtureRepository minios = FixtureRepository.MiniOs;
        await using ScriptedUpstream upstream = ScriptedUpstream.Serving([minios]);
        using var directory = new TemporaryDirectory();
        string list = directory.Combine("paths.txt");
        await File.WriteAllTextAsync(list, paths);
        string output = directory.Combine("out.tar");
        using var console = new CapturedConsole();
        int code = await SeedCommand.Create().Parse(
            ["export", minios.Fqrn, "--tag", "HEAD4", "--paths", list, "--from", upstream.Address, "-o", output, .. more])
            .InvokeAsync();
        return new Export(code, console.Error, File.Exists(output) ? await File.ReadAllBytesAsync(output) : []);
    }

    private sealed record Export(int Code, string Error, byte[] Bundle);
}
