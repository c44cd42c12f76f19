using System.Runtime.InteropServices;
using System.Text;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.TestSupport;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Tests.Commands.Publish;

/// <summary>A tree as the system has it: what is seen of it, and what is said of what cannot be seen.</summary>
public sealed partial class TreeSystemTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/dev/null", 0x103)]
    [InlineData("/dev/full", 0x107)]
    [InlineData("/dev/ptmx", 0x502)]
    public void Stat_OfADevice_HasItsNumberAsTheSystemDoes(string path, long number)
    {
        Assert.True(TreeSystem.TryStat(Terminated(path), out FileStat stat));

        if (!stat.IsLink)       // in a container /dev/ptmx may be one
        {
            Assert.Equal((true, false, false, (ulong)number), (stat.IsDevice, stat.IsRegular, stat.IsDirectory, stat.DeviceNumber));
        }
    }

    [Fact]
    public void Stat_OfFilesFoldersAndLinks_FollowsNothing()
    {
        string file = _directory.Combine("file");
        File.WriteAllText(file, "text");
        File.CreateSymbolicLink(_directory.Combine("link"), "file");

        FileStat stat = StatOf("file");
        Assert.Equal((true, 4, 1u), (stat.IsRegular, stat.SizeBytes, stat.Links));
        Assert.Equal(new DateTimeOffset(File.GetLastWriteTimeUtc(file)).ToUnixTimeSeconds(), stat.ModifiedAt.Seconds);
        Assert.True(StatOf("link").IsLink);
        Assert.True(StatOf("").IsDirectory);
        Assert.NotEqual(stat.Inode, StatOf("link").Inode);
        Assert.Equal(stat.FileSystem, StatOf("link").FileSystem);
        using SafeFileHandle handle = TreeSystem.Open(At("file"))!;
        Assert.Equal(stat, TreeSystem.Stat(handle, At("file")));
        Assert.False(TreeSystem.TryStat(At("missing"), out FileStat none));
        Assert.Equal(default, none);
    }

    [Fact]
    public void WhatIsGone_IsNothingAndWhatIsWrong_IsASentence()
    {
        File.WriteAllText(_directory.Combine("file"), "text");
        File.CreateSymbolicLink(_directory.Combine("link"), "file");

        Assert.Null(TreeSystem.ReadLink(At("missing")));
        Assert.Null(TreeSystem.Open(At("missing")));
        Assert.Null(TreeSystem.ReadXattrs(At("missing")));
        Assert.Equal("file", Encoding.UTF8.GetString(TreeSystem.ReadLink(At("link"))!));
        foreach ((string call, Action act) in (IEnumerable<(string, Action)>)
        [
            ("statx", () => TreeSystem.TryStat(At("file/below"), out _)),
            ("readlink", () => TreeSystem.ReadLink(At("file"))),
            ("opendir", () => TreeSystem.List(At("missing"))),
            ("opendir", () => TreeSystem.List(At("file"))),
            ("open", () => TreeSystem.Open(At("link"))),          // a last link is not followed
        ])
        {
            TreeException wrong = Assert.Throws<TreeException>(act);
            Assert.StartsWith(_directory.Path, wrong.Message, StringComparison.Ordinal);
            Assert.Contains($"({call}, errno ", wrong.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void List_OfAFolder_HasEachNameOnceWithoutTheDots()
    {
        File.WriteAllText(_directory.Combine("a"), "1");
        Directory.CreateDirectory(_directory.Combine("..b"));
        File.CreateSymbolicLink(_directory.Combine("c"), "nowhere");

        Assert.Equal(
            ["..b dir", "a file", "c link"],
            TreeSystem.List(At("")).Select(entry => $"{Encoding.UTF8.GetString(entry.Name)} {KindOf(entry.Stat)}")
                .Order(StringComparer.Ordinal));

        static string KindOf(FileStat stat) => stat.IsDirectory ? "dir" : stat.IsLink ? "link" : "file";
    }

    /// <summary>Names and values of up to 255 bytes fit into a catalog. Some file systems have no attributes.</summary>
    [Fact]
    public void Xattrs_OfFiles_ArePublishedOrCounted()
    {
        File.WriteAllText(_directory.Combine("one"), "");
        File.WriteAllText(_directory.Combine("two"), "");
        if (Set("one", "user.small", 255) != 0)
        {
            return;
        }

        Assert.Equal((0, 0), (Set("two", "user.large", 256), Set("two", "user.huge", 2_000)));

        Assert.Equal(["user.small 255"], Xattrs("one"));
        Assert.Equal(["user.huge 2000", "user.large 256"], Xattrs("two").Order());
        var reader = new TreeReader(_directory.Path, crossesMounts: false);
        TreeNode root = reader.Read(default);
        Assert.NotEmpty(root.Child("one"u8)!.Xattrs);
        Assert.Empty(root.Child("two"u8)!.Xattrs);
        Assert.StartsWith("2 extended attributes are left out: ", Assert.Single(reader.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfATree_HasEachDirectoryInTheOrderOfBytes()
    {
        Directory.CreateDirectory(_directory.Combine("b", "below"));
        File.WriteAllText(_directory.Combine("B"), "");
        File.WriteAllText(_directory.Combine("a"), "");

        var reader = new TreeReader(_directory.Path + "/", crossesMounts: false);
        TreeNode root = reader.Read(default);

        Assert.Equal(["B", "a", "b"], root.Children!.Select(child => Encoding.UTF8.GetString(child.Name)));
        TreeNode below = Assert.Single(root.Child("b"u8)!.Children!);
        Assert.Equal("/b/below", Encoding.UTF8.GetString(below.Path()));
        Assert.Equal(Terminated(_directory.Combine("b", "below")), reader.PathOf(below));
        Assert.Null(root.Child("c"u8));
        Assert.Empty(reader.Notes);
        Assert.Throws<TreeException>(() => new TreeReader(_directory.Combine("a"), false).Read(default));
    }

    [Theory]
    [InlineData("/bin/sh", "/bin/sh")]
    [InlineData("/caf\u00e9", "/caf\u00e9")]
    [InlineData("", "/")]
    [InlineData("/a\tb\u007f", "/a\\x09b\\x7f")]
    public void PathText_OfPrintableText_IsThatText(string path, string text) =>
        Assert.Equal(text, PathText.Of([.. Encoding.UTF8.GetBytes(path), 0]));

    [Fact]
    public void PathText_OfOtherBytes_NamesEach() => Assert.Equal("/\\xff\\xc3x", PathText.Of([(byte)'/', 0xff, 0xc3, (byte)'x']));

    [Theory]
    [InlineData("v1.0-rc_2+x", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("trunk", false)]
    [InlineData("trunk-previous", false)]
    [InlineData("trunk2", true)]
    public void TagName_OfTheRightLetters_MayBeGiven(string name, bool isValid) => Assert.Equal(isValid, TagList.IsValid(name));

    [Fact]
    public void TagName_OfTwoHundredLetters_IsTheLongest()
    {
        Assert.True(TagList.IsValid(new string('a', 200)));
        Assert.False(TagList.IsValid(new string('a', 201)));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, "1 paths of LIST are not in the tree: /none0")]
    [InlineData(5, "5 paths of LIST are not in the tree: /none0, /none1, /none2, /none3, /none4")]
    [InlineData(6, "6 paths of LIST are not in the tree: /none0, /none1, /none2, /none3, /none4, …")]
    public void BootFiles_ThatAreNotInTheTree_AreNamedUpToFive(int missing, string? note)
    {
        TreeNode root = Trees.Root();
        Trees.File(Trees.Directory(root, "bin"), "sh");
        Trees.File(root, ".ucernvm_pinfiles");
        string list = _directory.Combine("list");
        File.WriteAllLines(list, ["# a list", "/bin/sh ", "/bin", .. Enumerable.Range(0, missing).Select(i => $"/none{i}")]);
        List<string> notes = [];

        BootFileList.AddTo(root, list, notes);

        Assert.Equal(note is null ? Array.Empty<string>() : [note.Replace("LIST", list, StringComparison.Ordinal)], notes);
        Assert.Equal([".ucernvm_pinfiles", "bin"], root.Children!.Select(child => Encoding.UTF8.GetString(child.Name)));
        TreeNode given = root.Child(".ucernvm_pinfiles"u8)!;
        Assert.Equal((0x81a4u, 0u, 0u, 1u), (given.Stat.Mode, given.Stat.Uid, given.Stat.Gid, given.Stat.Links));
        Assert.Equal(Terminated(list), given.Source);
        Assert.Throws<TreeException>(() => BootFileList.AddTo(root, _directory.Path, notes));
    }

    private FileStat StatOf(string name) => TreeSystem.TryStat(At(name), out FileStat stat) ? stat : throw new FileNotFoundException(name);

    private byte[] At(string name) => Terminated(name.Length == 0 ? _directory.Path : _directory.Combine(name.Split('/')));

    private static byte[] Terminated(string path) => [.. Encoding.UTF8.GetBytes(path), 0];

    private IEnumerable<string> Xattrs(string name) =>
        TreeSystem.ReadXattrs(At(name))!.Select(pair => $"{Encoding.UTF8.GetString(pair.Key)} {pair.Value.Length}");

    private int Set(string name, string attribute, int length) =>
        SetXattr(_directory.Combine(name), attribute, new byte[length], (nuint)length, 0);

    [LibraryImport("libc", EntryPoint = "lsetxattr", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetXattr(string path, string name, byte[] value, nuint size, int flags);
}
