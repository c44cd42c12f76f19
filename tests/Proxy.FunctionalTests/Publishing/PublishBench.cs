using System.Diagnostics;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>
/// A tree, keys and an output folder of one test. The clock is an hour ahead: no file is so new that it must be read again.
/// </summary>
internal sealed class PublishBench : IDisposable
{
    public const string Fqrn = "os.example.org";

    /// <summary>Made once: a master key takes seconds.</summary>
    private static readonly Lazy<Dictionary<string, byte[]>> s_keys = new(MakeKeys);

    private readonly TemporaryDirectory _directory = new();

    /// <param name="hasKeysOfItsOwn">Made now, as those of a stranger; else those that all tests share.</param>
    public PublishBench(bool hasKeysOfItsOwn = false)
    {
        System.IO.Directory.CreateDirectory(Tree);
        System.IO.Directory.CreateDirectory(KeysFolder);
        foreach ((string name, byte[] bytes) in hasKeysOfItsOwn ? MakeKeys() : s_keys.Value)
        {
            File.WriteAllBytes(Path.Combine(KeysFolder, name), bytes);
        }
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow.AddHours(1));

    public string Tree => _directory.Combine("tree");

    public string Output => _directory.Combine("out");

    public string KeysFolder => _directory.Combine("keys");

    public PublishKeys Keys => new(KeysFolder, Fqrn);

    public string Root => RepositoryFolder.RootOf(Output, Fqrn);

    public PublishRequest Request => new()
    {
        Directory = Tree,
        Fqrn = Fqrn,
        Output = Output,
        Keys = KeysFolder,
        WhitelistValidity = TimeSpan.FromDays(180),
    };

    public string Combine(string name) => _directory.Combine(name);

    public Task<PublishResult> PublishAsync(Func<PublishRequest, PublishRequest>? change = null) =>
        new Publisher(change?.Invoke(Request) ?? Request, Time).RunAsync(CancellationToken.None);

    /// <summary>Writes a file of the tree.</summary>
    public void Write(string name, string text)
    {
        string path = Path.Combine(Tree, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>Makes the tree by a shell, which can do what the runtime cannot: names of any bytes, links, special files.</summary>
    public async Task ShellAsync(string script)
    {
        CommandResult result = await BreakwaterCommand.RunAsync(
            new ProcessStartInfo("/bin/bash") { ArgumentList = { "-ec", script }, WorkingDirectory = Tree });
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <summary>Nothing is wrong with what is published: signatures, and the hash of every object.</summary>
    public async Task AssertWholeAsync()
    {
        using RepositoryFolder folder = RepositoryFolder.Open(Output, Fqrn);
        (IReadOnlyList<string> problems, int objects) =
            await RepositoryCheck.RunAsync(folder, Keys.ReadPublic(), Time.GetUtcNow(), readsAll: true, CancellationToken.None);
        Assert.Empty(problems);
        Assert.True(objects > 0);
    }

    /// <summary>What the manifest says.</summary>
    public async Task<CurrentRepository> CurrentAsync()
    {
        using RepositoryFolder folder = RepositoryFolder.Open(Output, Fqrn);
        return (await CurrentRepository.LoadAsync(folder, CancellationToken.None))!;
    }

    /// <summary>The runtime does not remove names that are not UTF-8.</summary>
    public void Dispose()
    {
        using (var remove = Process.Start("/bin/rm", ["-rf", Tree]))
        {
            remove.WaitForExit(Waiting.Hang);
        }

        _directory.Dispose();
    }

    private static Dictionary<string, byte[]> MakeKeys()
    {
        using var directory = new TemporaryDirectory();
        var keys = new PublishKeys(directory.Path, Fqrn);
        keys.Create(keys.MasterPath, DateTimeOffset.UtcNow, TimeSpan.FromDays(180), masterBits: 2048);
        return System.IO.Directory.EnumerateFiles(directory.Path).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
    }
}
